/** The fields of the form that are texts on the screen, and what their texts mean. */
import type { Kind } from "./kinds";

export const KINDS = {
  name: "line",
  description: "text",
  "spec.prompt": "text",
  "spec.model.name": "line",
  "spec.workspace.image": "line",
  "spec.workspace.resources.cpu": "line",
  "spec.workspace.resources.memory": "line",
  "spec.workspace.storage.size": "line",
  "spec.limits.maxCostMicros": "dollars",
  "spec.limits.timeoutSeconds": "minutes",
  "spec.limits.maxTurns": "whole",
  "spec.limits.maxTokens": "whole",
  "spec.verify.command": "arguments",
  "spec.verify.files": "lines",
  "spec.retry.limit": "whole",
  "spec.retry.backoffSeconds": "waits",
  "spec.runtime.command": "arguments",
  "spec.runtime.stallSeconds": "minutes",
  "spec.priority": "whole",
  "spec.maxConcurrentExecutions": "whole",
  "spec.history.successful": "whole",
  "spec.history.failed": "whole",
  "spec.history.ttlSeconds": "minutes",
  "spec.schedule.cron": "line",
  "spec.schedule.time": "line",
  "spec.schedule.monthDay": "whole",
  "spec.schedule.maxCatchUp": "whole",
  "spec.schedule.jitterSeconds": "minutes",
  "spec.schedule.startingDeadlineSeconds": "minutes",
  "spec.schedule.pauseAfterFailures": "whole",
} as const satisfies Record<string, Kind>;

export type TextField = keyof typeof KINDS;

export function isTextField(path: string): path is TextField {
  return path in KINDS;
}

/** Everything that stands at a place of the form: where a fault of the server's is shown. */
export const PLACES: readonly string[] = [
  ...Object.keys(KINDS),
  "spec.tools.allow",
  "spec.tools.deny",
  "spec.workspace.env",
  "spec.workspace.storage.type",
  "spec.workspace.secretRefs",
  "spec.workspace.egress",
  "spec.schedule",
  "spec.schedule.frequency",
  "spec.schedule.weekday",
  "spec.schedule.timeZone",
  "spec.schedule.suspend",
  "spec.schedule.overlap",
  "spec.schedule.catchUp",
  "spec.schedule.daylightSaving",
  "spec.schedule.blackouts",
];

/** The place of `spec.tools.allow[1]`; null: the form has none for it. */
export function placeOf(field: string): string | null {
  const found = PLACES.filter((place) => {
    const next = field.charAt(place.length);
    return field.startsWith(place) && (next === "" || next === "." || next === "[");
  });
  return found.sort((one, other) => other.length - one.length)[0] ?? null;
}
