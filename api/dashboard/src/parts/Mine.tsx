import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useDeleteMine, useIsMineDeleted } from "../api/mine";
import { useWords } from "../words/words";
import { Callout } from "./Callout";
import { Icon } from "./icons";
import classes from "./Mine.module.css";
import { Refusal } from "./States";

/** All of a person's things: to keep, and to delete. */
export function Mine() {
  const { t } = useWords();
  const remove = useDeleteMine();
  if (useIsMineDeleted()) {
    return (
      <Callout tone="calm" icon="check" title={t("mine.deleted")}>
        <p>{t("mine.deletedDetail")}</p>
      </Callout>
    );
  }
  return (
    <div className={classes.mine}>
      <div className={classes.part}>
        <div>
          <h3>{t("mine.archive")}</h3>
          <p className={classes.detail}>{t("mine.archiveDetail")}</p>
        </div>
        <Button
          component="a"
          href="/api/me/archive"
          download
          variant="default"
          leftSection={<Icon name="down" size={16} />}
        >
          {t("files.download")}
        </Button>
      </div>
      <Deletion isPending={remove.isPending} remove={() => remove.mutate()} />
      <Refusal error={remove.error} />
    </div>
  );
}

/** A word has to be typed: nobody does this by a slip. */
function Deletion({ isPending, remove }: { isPending: boolean; remove: () => void }) {
  const { t } = useWords();
  const [isAsking, setAsking] = useState(false);
  const [typed, setTyped] = useState("");
  const word = t("mine.deleteWord");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() === word) remove();
  };
  return (
    <div className={classes.part}>
      <div>
        <h3>{t("mine.delete")}</h3>
        <p className={classes.detail}>{t("mine.deleteDetail")}</p>
      </div>
      {!isAsking ? (
        <Button variant="default" className={classes.danger} onClick={() => setAsking(true)}>
          {t("mine.delete")}
        </Button>
      ) : (
        <form className={classes.ask} onSubmit={submit}>
          <TextInput
            label={t("mine.deleteType", { word })}
            autoComplete="off"
            autoFocus
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <div className={classes.buttons}>
            <Button
              type="submit"
              color="red.8"
              autoContrast={false}
              loading={isPending}
              disabled={typed.trim() !== word}
            >
              {t("mine.deleteYes")}
            </Button>
            <Button variant="default" onClick={() => setAsking(false)}>
              {t("app.cancel")}
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}
