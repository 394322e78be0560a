import { TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import { DAYS_MOST, type Range, rangeProblem } from "../lib/days";
import { useWords } from "../words/words";

const ENDS = ["from", "to"] as const;

/** Days of one's own. What is picked counts at once, what is typed once its field is left. */
export function DayRange({ range, choose }: { range: Range; choose: (range: Range) => void }) {
  const { t } = useWords();
  const [known, setKnown] = useState(range);
  const [typed, setTyped] = useState(range);
  const [wrong, setWrong] = useState<keyof Range | null>(null);
  if (!isSame(known, range)) {
    setKnown(range);
    setTyped(range);
  }
  const problem = wrong && rangeProblem(typed);
  const isTyping = useRef(false);
  const commit = (end: keyof Range, days: Range) => {
    isTyping.current = false;
    const isGood = rangeProblem(days) === null;
    setWrong(isGood ? null : end);
    if (isGood && !isSame(days, range)) choose(days);
  };
  const change = (end: keyof Range, day: string) => {
    const days = { ...typed, [end]: day };
    setTyped(days);
    if (!isTyping.current) commit(end, days);
  };
  const labels = { from: t("usage.from"), to: t("usage.to") };
  return ENDS.map((end) => (
    <TextInput
      key={end}
      type="date"
      aria-label={labels[end]}
      value={typed[end]}
      error={wrong === end && problem && t(problem, { limit: DAYS_MOST })}
      onChange={(event) => change(end, event.currentTarget.value)}
      onBlur={() => commit(end, typed)}
      onPointerDown={() => {
        isTyping.current = false;
      }}
      onKeyDown={(event) => {
        isTyping.current = event.key !== "Enter";
        if (event.key === "Enter") commit(end, typed);
      }}
    />
  ));
}

function isSame(one: Range, other: Range): boolean {
  return one.from === other.from && one.to === other.to;
}
