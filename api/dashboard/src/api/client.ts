import type { Accepted, Problem } from "./views";

/** The server's answer was no, or there was none (`status` 0). The message is for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem | null;

  constructor(status: number, message: string, problem: Problem | null = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }
}

/** Reads. Raises ApiError. */
export function read<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return fetched<Answer>(path, signal ? { signal } : {});
}

/** Commands: the answer says only that it was taken. Raises ApiError. */
export function command(
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Accepted> {
  return fetched<Accepted>(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body ?? {}),
  });
}

/** A change of something that is there; what comes of it is reported. Raises ApiError. */
export async function change(
  method: "PATCH" | "PUT" | "DELETE",
  path: string,
  body?: object,
): Promise<void> {
  await answered(path, {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
}

/** A question that is too long for an address: it changes nothing. Raises ApiError. */
export function ask<Answer>(path: string, body: object, signal?: AbortSignal): Promise<Answer> {
  return fetched<Answer>(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}

/** `/api/executions` with the parameters that have a value. */
export function withQuery(
  path: string,
  parameters: Record<string, string | number | null | undefined>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

async function fetched<Answer>(path: string, init: RequestInit): Promise<Answer> {
  return (await answered(path, init)).json();
}

async function answered(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<ApiError> {
  try {
    const problem: Problem = await response.json();
    return new ApiError(response.status, problem.detail || problem.title || "", problem);
  } catch {
    return new ApiError(response.status, response.statusText);
  }
}
