import { Link } from "wouter";
import { PageHead } from "../parts/Page";
import { Webhooks } from "../webhooks/Webhooks";
import { useWords } from "../words/words";

/** Who is told when something of the person's goes wrong. */
export default function WebhooksPage() {
  const { t } = useWords();
  return (
    <>
      <PageHead
        kind={<Link href="/settings">{t("nav.settings")}</Link>}
        title={t("webhooks.title")}
        detail={t("webhooks.detail")}
      />
      <Webhooks agent={null} />
    </>
  );
}
