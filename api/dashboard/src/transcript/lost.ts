import { type Fields, numberAt, textAt } from "./json";

/** Whether an event stands for others that nobody has any more: only such a one counts them. */
export function isLost(event: Fields): boolean {
  return (
    textAt(event, "type") === "heliostat" &&
    textAt(event, "subtype") === "lost" &&
    numberAt(event, "count") !== null
  );
}

export function lostIn(event: Fields): number {
  return numberAt(event, "count") ?? 1;
}
