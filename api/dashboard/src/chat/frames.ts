/** What goes over the chat's WebSocket, `/workspace/{person}`. */
import type { Conversation, Message, Problem } from "../api/views";
import type { Language } from "../words/preferences";

export type Part = Message["parts"][number];
export type PartOf<Type extends Part["type"]> = Extract<Part, { type: Type }>;

export type StatusCode = PartOf<"status">["code"];

/** What the server says about one conversation, each with its place in that conversation's log. */
export type LogFrame =
  | { type: "conversation"; cursor: number; conversation: Conversation; messages: Message[] }
  | { type: "message"; cursor: number; message: Message }
  | { type: "part"; cursor: number; message: string; index: number; part: Part }
  | { type: "delta"; cursor: number; message: string; index: number; text: string };

/** What it says to this browser about what this browser said. */
export type ReplyFrame =
  | { type: "accepted"; id: string; conversation: string }
  | { type: "refused"; id: string | null; problem: Problem };

export type ServerFrame = LogFrame | ReplyFrame;

export interface SayFrame {
  type: "say";
  /** Chosen here: said again after a reconnect, it is still said once. */
  id: string;
  /** null begins a conversation. */
  conversation: string | null;
  text: string;
  timeZone: string;
  language: Language;
  agent: string | null;
}

export type ClientFrame =
  | { type: "watch"; conversation: string; cursor: number | null }
  | SayFrame
  | { type: "stop"; conversation: string }
  | { type: "continue"; conversation: string; message: string };
