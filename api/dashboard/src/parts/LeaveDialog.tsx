import { Button, Modal } from "@mantine/core";
import { useLeaving } from "../lib/unsaved";
import { useWords } from "../words/words";

/** Asked on the way out of a page with words that were not saved. */
export default function LeaveDialog() {
  const { t } = useWords();
  const leaving = useLeaving();
  return (
    <Modal
      opened={leaving !== null}
      onClose={() => leaving?.stay()}
      title={t("leave.title")}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <p>{t("leave.detail")}</p>
      <Button.Group mt="md">
        <Button onClick={() => leaving?.stay()} data-autofocus>
          {t("leave.stay")}
        </Button>
        <Button variant="default" onClick={() => leaving?.leave()}>
          {t("leave.go")}
        </Button>
      </Button.Group>
    </Modal>
  );
}
