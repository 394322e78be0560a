import { useFiles } from "../api/queries";
import { filePath, useFileText } from "../api/runs";
import type { Execution, RunFile } from "../api/views";
import { parseCsv } from "../lib/csv";
import { type PreviewKind, pictureBeside, previewKind, separatorOf } from "../lib/previews";
import { spread } from "../lib/spread";
import { visible } from "../lib/visible";
import { Words } from "../transcript/Words";
import { useWords } from "../words/words";
import classes from "./Preview.module.css";
import { Printed } from "./Printed";
import { Empty, Failure, Rows } from "./States";

const TABLE = { rows: 501, columns: 40 };

/** What is in a file: a stranger's, so nothing of it is ever run or fetched from elsewhere. */
export function Preview({ run, file, path }: { run: Execution; file: RunFile; path: string }) {
  const { t } = useWords();
  const kind = previewKind(file);
  if (kind === "none") {
    return <Empty icon="file" title={t("files.hidden")} detail={t("files.hiddenDetail")} />;
  }
  if (file.size === 0) return <p>{t("files.empty")}</p>;
  if (kind === "picture") return <img className={classes.picture} src={path} alt={file.path} />;
  return <Text run={run} file={file} kind={kind} />;
}

function Text({ run, file, kind }: { run: Execution; file: RunFile; kind: PreviewKind }) {
  const { t } = useWords();
  const text = useFileText(run, file);
  const files = useFiles(run).data?.items ?? [];
  const pictureOf = (source: string) => {
    const picture = pictureBeside(file, source, files);
    return picture && filePath(run, picture.id);
  };
  if (text.isPending) return <Rows count={1} height={220} />;
  if (!text.data) return <Failure error={text.error} retry={() => void text.refetch()} />;
  if (kind === "table") return <Table file={file} {...text.data} />;
  return (
    <>
      {text.data.isCut && <p className={classes.cut}>{t("files.cut")}</p>}
      {kind === "markdown" ? (
        <div className={classes.page}>
          <Words text={text.data.text} pictureOf={pictureOf} />
        </div>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard
        <pre className={classes.text} tabIndex={0}>
          <Printed text={kind === "json" ? spread(text.data.text) : text.data.text} />
        </pre>
      )}
    </>
  );
}

/** The first line names the columns, as it does in nearly every table. */
function Table({ file, text, isCut }: { file: RunFile; text: string; isCut: boolean }) {
  const { t } = useWords();
  const table = parseCsv(text, separatorOf(file.path), TABLE);
  const [head = [], ...rows] = table.rows;
  return (
    <>
      {(isCut || table.isCut) && <p className={classes.cut}>{t("files.cut")}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard */}
      <div className={classes.scroll} tabIndex={0}>
        <table className={classes.table} aria-label={t("files.table", { name: file.path })}>
          <thead>
            <tr>
              {head.map((cell, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells have no other name
                <th key={at} scope="col">
                  {visible(cell)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, number) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: nor have rows
              <tr key={number}>
                {row.map((cell, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells have no other name
                  <td key={at}>{visible(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
