import { Link } from "wouter";
import { useFiles } from "../api/queries";
import { filePath } from "../api/runs";
import type { Execution, FileList, LeftOut, RunFile } from "../api/views";
import { previewKind } from "../lib/previews";
import { bytes } from "../words/formats";
import { useWords } from "../words/words";
import { Callout } from "./Callout";
import classes from "./Files.module.css";
import { Section } from "./Page";
import { Preview } from "./Preview";
import shown from "./Preview.module.css";
import { Empty, Failure, Rows } from "./States";

const PICTURES = 4;

/** What a run made or changed, beside its steps: pictures as they are, the rest by name. */
export function Files({ run }: { run: Execution }) {
  const { t } = useWords();
  const files = useFiles(run).data?.items ?? [];
  if (files.length === 0) return null;
  const pictures = files.filter((file) => previewKind(file) === "picture");
  return (
    <Section title={t("run.files")}>
      {pictures.slice(0, PICTURES).map((file) => (
        <Link key={file.id} href={previewPath(run, file)}>
          <img className={classes.picture} src={filePath(run, file.id)} alt={file.path} />
        </Link>
      ))}
      <ul className={classes.files}>
        {files.map((file) => (
          <li key={file.id}>
            <Link href={previewPath(run, file)}>{file.path}</Link>
            <span className={classes.size}>{bytes(file.size)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** The list of files, and what is in the chosen one. */
export function FileTab({ run, chosen }: { run: Execution; chosen: string | null }) {
  const { t } = useWords();
  const files = useFiles(run);
  if (!run.isFinished) {
    return <Empty icon="file" title={t("files.later")} detail={t("files.laterDetail")} />;
  }
  if (files.isPending) return <Rows count={3} height={44} />;
  if (!files.data) return <Failure error={files.error} retry={() => void files.refetch()} />;
  return (
    <>
      <Kept run={run} files={files.data} chosen={chosen} />
      {files.data.leftOut.map((each) => (
        <NotKept key={each.attempt} run={run} left={each} />
      ))}
    </>
  );
}

function Kept({ run, files, chosen }: { run: Execution; files: FileList; chosen: string | null }) {
  const { t } = useWords();
  const { items, leftOut } = files;
  const file = items.find((each) => each.id === chosen) ?? items[0];
  if (!file) {
    return leftOut.length > 0 ? (
      <Empty icon="file" title={t("files.noneKept")} detail={t("files.noneKeptDetail")} />
    ) : (
      <Empty icon="file" title={t("files.none")} detail={t("files.noneDetail")} />
    );
  }
  return (
    <div className={shown.files}>
      <List run={run} files={items} chosen={file} />
      <div className={shown.shown}>
        <Head run={run} file={file} />
        <Preview key={file.id} run={run} file={file} path={filePath(run, file.id)} />
      </div>
    </div>
  );
}

/** What an attempt made and could not deliver. */
function NotKept({ run, left }: { run: Execution; left: LeftOut }) {
  const { t } = useWords();
  const more = left.count - left.files.length;
  const title = left.why ? t("files.noneKept") : t("files.leftOut", { count: left.count });
  return (
    <Callout tone="warn" icon="file" title={title}>
      {run.attempts.length > 1 && <p>{t("files.attempt", { number: left.attempt })}</p>}
      {left.why && <p>{left.why}</p>}
      <ul className={shown.left}>
        {left.files.map((file) => (
          <li key={file.path}>
            <strong>{file.path}</strong> {file.why}
          </li>
        ))}
        {more > 0 && <li>{t("files.leftOutMore", { count: more })}</li>}
      </ul>
    </Callout>
  );
}

function List({ run, files, chosen }: { run: Execution; files: RunFile[]; chosen: RunFile }) {
  const { t } = useWords();
  return (
    <ul className={shown.list} aria-label={t("files.list")}>
      {files.map((file) => (
        <li key={file.id}>
          <Link
            href={previewPath(run, file)}
            replace
            className={shown.choice}
            aria-current={file.id === chosen.id ? "true" : undefined}
          >
            <span>{file.path}</span>
            <span className={shown.size}>{bytes(file.size)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Head({ run, file }: { run: Execution; file: RunFile }) {
  const { t } = useWords();
  const path = filePath(run, file.id);
  return (
    <div className={shown.bar}>
      <h3>{file.path}</h3>
      {run.attempts.length > 1 && (
        <span className={shown.size}>{t("files.attempt", { number: file.attempt })}</span>
      )}
      {file.isShown && (
        <a href={path} target="_blank" rel="noreferrer">
          {t("files.open")}
        </a>
      )}
      <a href={path} download={file.path.split("/").at(-1)}>
        {t("files.download")}
      </a>
    </div>
  );
}

function previewPath(run: Execution, file: RunFile): string {
  return `/executions/${run.id}?tab=files&file=${encodeURIComponent(file.id)}`;
}
