import { Button } from "@mantine/core";
import { asksOf, useAsks } from "../api/approvals";
import classes from "../approvals/Approvals.module.css";
import { AskList } from "../approvals/AskList";
import { PageHead, Section } from "../parts/Page";
import { Empty, Failure, Rows } from "../parts/States";
import { useWords } from "../words/words";

/** What agents ask for: what waits for a person first, then what was decided. */
export default function ApprovalsPage() {
  const { t } = useWords();
  return (
    <>
      <PageHead title={t("approvals.title")} detail={t("approvals.detail")} />
      <Asks title={t("approvals.open")} isOpen />
      <Asks title={t("approvals.ended")} isOpen={false} />
    </>
  );
}

function Asks({ title, isOpen }: { title: string; isOpen: boolean }) {
  const { t } = useWords();
  const asks = useAsks({ open: isOpen });
  if (asks.isPending) return <Rows count={isOpen ? 2 : 4} />;
  if (asks.isError) return <Failure error={asks.error} retry={() => void asks.refetch()} />;
  const all = asksOf(asks.data);
  if (all.length === 0) {
    if (!isOpen) return null;
    return <Empty icon="shield" title={t("approvals.none")} detail={t("approvals.noneDetail")} />;
  }
  return (
    <Section title={title}>
      <AskList asks={all} label={title} />
      {asks.hasNextPage && (
        <Button
          className={classes.more}
          variant="default"
          loading={asks.isFetchingNextPage}
          onClick={() => void asks.fetchNextPage()}
        >
          {t("app.more")}
        </Button>
      )}
    </Section>
  );
}
