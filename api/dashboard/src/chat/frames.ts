/** What goes over the chat's WebSocket, `/workspace/{person}`. */
import type { Problem } from "../api/views";
import type { Language } from "../words/preferences";

export interface Conversation {
  id: string;
  title: string;
  agentId: string | null;
  createdTime: string;
  changedTime: string;
  state: "idle" | "answering" | "interrupted";
}

export interface Message {
  id: string;
  role: "user" | "assistant";
  state: "writing" | "done" | "stopped" | "interrupted" | "failed";
  parts: Part[];
  time: string;
  costMicros: number;
}

export interface Fire {
  time: string;
  local: string;
  note: string | null;
}

export type Part =
  | { type: "text"; text: string }
  | { type: "status"; code: StatusCode; text: string }
  | { type: "toolCall"; id: string; name: string; input: Record<string, unknown> }
  | { type: "result"; callId: string; isError: boolean; text: string; execution: string | null }
  | { type: "agentCard"; agentId: string; revision: number }
  | {
      type: "schedulePreview";
      agentId: string;
      schedule: Record<string, unknown>;
      timeZone: string;
      words: Record<Language, string>;
      fires: Fire[];
    }
  | {
      type: "chart";
      title: string;
      unit: string;
      series: { name: string; points: [string | number, number][] }[];
    };

export type PartOf<Type extends Part["type"]> = Extract<Part, { type: Type }>;

export type StatusCode =
  | "script"
  | "thinking"
  | "stopped"
  | "interrupted"
  | "capReached"
  | "unavailable"
  | "failed";

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
