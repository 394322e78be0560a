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
  return ask<Answer>(path, signal ? { signal } : {});
}

/** Commands: the answer says only that it was taken. Raises ApiError. */
export function command(path: string, body?: object): Promise<Accepted> {
  return ask<Accepted>(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
}

/** Commands of other kinds, and those whose answer is told once (a new key). Raises ApiError. */
export function send<Answer = void>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: object,
): Promise<Answer> {
  if (body === undefined) return ask<Answer>(path, { method });
  return ask<Answer>(path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** The beginning of a text, at most so many bytes of it. Raises ApiError. */
export async function readText(
  path: string,
  most: number,
  signal?: AbortSignal,
): Promise<{ text: string; isCut: boolean }> {
  const response = await request(path, signal ? { signal } : {});
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const piece = await reader?.read();
    if (!piece || piece.done) return { text: text + decoder.decode(), isCut: false };
    text += decoder.decode(piece.value.subarray(0, most - size), { stream: true });
    size += piece.value.length;
    if (size > most) {
      void reader?.cancel();
      return { text, isCut: true };
    }
  }
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

async function ask<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await request(path, init);
  const text = await response.text();
  return JSON.parse(text || "null");
}

async function request(path: string, init: RequestInit): Promise<Response> {
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
