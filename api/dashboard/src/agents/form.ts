/** What the fields of the form share: the edit, and what is said about each place of it. */
import { createContext, useContext } from "react";
import type { FieldError } from "../api/views";
import type { Key } from "../words/catalogue";
import { useWords } from "../words/words";
import { isTree, type Tree, valueAt } from "./contents";
import { type Editing, withField } from "./editing";
import { placeOf } from "./fields";
import type { Fault } from "./rules";

export interface Form {
  readonly editing: Editing;
  readonly isLocked: boolean;
  readonly faults: ReadonlyMap<string, Fault>;
  /** The server's words. */
  readonly errors: readonly FieldError[];
  change(next: (editing: Editing) => Editing): void;
}

const Context = createContext<Form | null>(null);
export const FormProvider = Context.Provider;

export function useForm(): Form {
  const form = useContext(Context);
  if (!form) throw new Error("a field stands outside of its form");
  return form;
}

/** What is wrong at one place; our own words go before the server's. */
export function useFault(path: string): string | undefined {
  const { faults, errors } = useForm();
  const { t } = useWords();
  const own = faults.get(path);
  if (own) return t(own.key, own.values);
  const said = errors.filter(({ field }) => field === path || placeOf(field) === path);
  return said.length > 0 ? said.map(({ message }) => message).join("; ") : undefined;
}

/** The same for a field alone, without those that are within it. */
export function useExactFault(path: string): string | undefined {
  const { faults, errors } = useForm();
  const { t } = useWords();
  const own = faults.get(path);
  return own ? t(own.key, own.values) : errors.find(({ field }) => field === path)?.message;
}

/** The rows of a list at one place; an empty list is left out of the content. */
export function useRows(path: string): { rows: Tree[]; put: (next: Tree[]) => void } {
  const { editing, change } = useForm();
  const given = valueAt(editing.content, path);
  return {
    rows: Array.isArray(given) ? given.filter(isTree) : [],
    put: (next) => change((now) => withField(now, path, next.length > 0 ? next : undefined)),
  };
}

/** A field as people call it: `Cost limit`; one without a name as it is written. */
export function useFieldName(): (field: string) => string {
  const { t } = useWords();
  return (field) => {
    const place = placeOf(field) ?? field.replace(/^spec\./, "");
    const key = FIELD_KEYS[place];
    return key ? t(key) : place;
  };
}

const FIELD_KEYS: Readonly<Record<string, Key>> = {
  name: "field.name",
  description: "field.description",
  "spec.prompt": "field.prompt",
  "spec.model.name": "field.model",
  "spec.tools.allow": "field.allow",
  "spec.tools.deny": "field.deny",
  "spec.workspace.image": "field.image",
  "spec.workspace.resources.cpu": "field.cpu",
  "spec.workspace.resources.memory": "field.memory",
  "spec.workspace.storage.type": "field.storage",
  "spec.workspace.storage.size": "field.size",
  "spec.workspace.env": "field.env",
  "spec.workspace.secretRefs": "field.secrets",
  "spec.workspace.egress": "field.egress",
  "spec.limits.maxCostMicros": "field.cost",
  "spec.limits.timeoutSeconds": "field.time",
  "spec.limits.maxTurns": "field.turns",
  "spec.limits.maxTokens": "field.tokens",
  "spec.verify.command": "field.verifyCommand",
  "spec.verify.files": "field.verifyFiles",
  "spec.retry.limit": "field.retries",
  "spec.retry.backoffSeconds": "field.waits",
  "spec.runtime.command": "field.command",
  "spec.runtime.stallSeconds": "field.stall",
  "spec.priority": "field.priority",
  "spec.maxConcurrentExecutions": "field.atOnce",
  "spec.history.successful": "field.keptGood",
  "spec.history.failed": "field.keptBad",
  "spec.history.ttlSeconds": "field.keptFor",
  "spec.schedule": "field.schedule",
  "spec.schedule.cron": "field.cron",
  "spec.schedule.frequency": "field.frequency",
  "spec.schedule.time": "field.clock",
  "spec.schedule.weekday": "field.weekday",
  "spec.schedule.monthDay": "field.monthDay",
  "spec.schedule.timeZone": "field.zone",
  "spec.schedule.suspend": "field.scheduleOff",
  "spec.schedule.overlap": "field.overlap",
  "spec.schedule.catchUp": "field.catchUp",
  "spec.schedule.maxCatchUp": "field.maxCatchUp",
  "spec.schedule.jitterSeconds": "field.jitter",
  "spec.schedule.startingDeadlineSeconds": "field.deadline",
  "spec.schedule.daylightSaving": "field.daylight",
  "spec.schedule.pauseAfterFailures": "field.pauseAfter",
  "spec.schedule.blackouts": "field.blackouts",
};
