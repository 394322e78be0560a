import { Link } from "wouter";
import { PageHead } from "../parts/Page";
import { Empty } from "../parts/States";
import { useWords } from "../words/words";

/** An address without a page, or a thing that is not there. */
export function MissingPage({
  what = "page",
}: {
  what?: "page" | "run" | "agent" | "conversation" | "approval";
}) {
  const { t } = useWords();
  return (
    <>
      <PageHead title={t("missing.title")} />
      <Empty icon="search" title={t(`missing.${what}`)}>
        <Link href="/">{t("missing.home")}</Link>
      </Empty>
    </>
  );
}
