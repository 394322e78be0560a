import { Button, Chip, Group } from "@mantine/core";
import { useMemo } from "react";
import { useWords } from "../words/words";
import type { Item } from "./items";
import { countKinds, KINDS, type StepKind } from "./kinds";

/** Which steps are shown, how many there are of each kind, and the way to what went wrong. */
export function StepFilter({
  items,
  isWhole,
  kind,
  choose,
  toNext,
}: {
  items: readonly Item[];
  /** Whether these are all; else there may be more of each kind. */
  isWhole: boolean;
  kind: StepKind | null;
  choose: (kind: StepKind | null) => void;
  toNext: () => void;
}) {
  const { t, language } = useWords();
  const counts = useMemo(() => countKinds(items), [items]);
  const shown = KINDS.filter((each) => counts[each] > 0 || each === kind);
  return (
    <Group gap={6} mb={14} role="group" aria-label={t("filter.label")}>
      <Chip size="xs" variant="outline" checked={kind === null} onChange={() => choose(null)}>
        {t("filter.all")}
      </Chip>
      {shown.map((each) => (
        <Chip
          key={each}
          size="xs"
          variant="outline"
          checked={kind === each}
          onChange={(isOn) => choose(isOn ? each : null)}
        >
          {t(`filter.${each}`)} {counts[each].toLocaleString(language)}
          {isWhole ? "" : "+"}
        </Chip>
      ))}
      {counts.errors > 0 && (
        <Button size="compact-xs" variant="default" ml="auto" onClick={toNext}>
          {t("filter.next")}
        </Button>
      )}
    </Group>
  );
}
