import { useFiles } from "../api/queries";
import type { Execution, RunFile } from "../api/views";
import { bytes } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./Files.module.css";
import { Section } from "./Page";

const PICTURE = /\.(png|jpe?g|gif|webp)$/i;
const PICTURES = 4;

/** What a run made or changed: pictures as they are, everything else to open or to keep. */
export function Files({ run }: { run: Execution }) {
  const { t } = useWords();
  const files = useFiles(run).data?.items ?? [];
  if (files.length === 0) return null;
  const pictures = files.filter((file) => file.isShown && PICTURE.test(file.path));
  return (
    <Section title={t("run.files")}>
      {pictures.slice(0, PICTURES).map((file) => (
        <a key={file.id} href={address(run, file)} target="_blank" rel="noreferrer">
          <img className={classes.picture} src={address(run, file)} alt={file.path} />
        </a>
      ))}
      <ul className={classes.files}>
        {files.map((file) => (
          <li key={file.id}>
            <a
              href={address(run, file)}
              target={file.isShown ? "_blank" : undefined}
              rel="noreferrer"
              download={file.isShown ? undefined : true}
            >
              {file.path}
            </a>
            <span className={classes.size}>{bytes(file.size)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function address(run: Execution, file: RunFile): string {
  return `/api/executions/${encodeURIComponent(run.id)}/files/${encodeURIComponent(file.id)}`;
}
