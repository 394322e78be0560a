import { parseJson, printJson } from "../lib/json";
import { presentLanguage } from "../words/preferences";
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
  return send<Accepted>({ path, body });
}

export interface Order {
  path: string;
  method?: "POST" | "PUT" | "PATCH" | "DELETE";
  body?: object;
  /** The revision that was read: an edit of another one is refused. */
  revision?: number;
  /** What makes something makes it once, however often it is sent under this name. */
  once?: string;
  signal?: AbortSignal;
}

/** Whatever is not a plain read. Raises ApiError. */
export function send<Answer>({ path, method = "POST", body, ...rest }: Order): Promise<Answer> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (rest.revision !== undefined) headers["If-Match"] = `"${rest.revision}"`;
  if (rest.once) headers["Idempotency-Key"] = rest.once;
  return ask<Answer>(path, {
    method,
    headers,
    ...(method === "DELETE" && !body ? {} : { body: printJson(body ?? {}) }),
    ...(rest.signal ? { signal: rest.signal } : {}),
  });
}

/** A command that leads elsewhere; the browser goes there. Raises ApiError. */
export async function follow(path: string): Promise<void> {
  // Not a form: our pages tell no referrer, and so a form would tell no origin.
  const { url } = await request(path, { method: "POST" });
  location.assign(url);
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
  return parseJson<Answer>(text || "null");
}

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  const headers = { ...init.headers, "Accept-Language": presentLanguage() };
  try {
    response = await fetch(path, { credentials: "same-origin", ...init, headers });
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
