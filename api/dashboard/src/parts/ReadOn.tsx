import { Button } from "@mantine/core";
import { useWords } from "../words/words";

/** Reads the rest of a transcript that is longer than what is read by itself. */
export function ReadOn({ isLoading, load }: { isLoading: boolean; load: () => void }) {
  const { t } = useWords();
  return (
    <Button mt="md" variant="default" loading={isLoading} onClick={load}>
      {t("steps.more")}
    </Button>
  );
}
