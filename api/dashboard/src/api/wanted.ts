/** Shapes of endpoints whose schema is not in api/openapi.json yet. */
export interface Model {
  name: string;
  provider: string;
  isScripted: boolean;
}
