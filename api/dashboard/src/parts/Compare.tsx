import { Select } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { runsOf, useRuns } from "../api/queries";
import { filePath, useDiff } from "../api/runs";
import type { Execution, FieldChange, FileChange, RunDiff } from "../api/views";
import { comparable, type Difference, figuresOf, otherChanges, shownValue } from "../lib/compare";
import { visible } from "../lib/visible";
import { Words } from "../transcript/Words";
import { money, signed } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./Compare.module.css";
import { Section } from "./Page";
import { Phase } from "./Phase";
import { Empty, Failure, Rows } from "./States";

/** This run beside another one of the same agent. */
export function Compare({
  run,
  other,
  choose,
}: {
  run: Execution;
  other: string | null;
  choose: (id: string | null) => void;
}) {
  const { t } = useWords();
  const diff = useDiff(run, other);
  const runs = useRuns(run.testOf ? {} : { agent: run.agent });
  const others = comparable(run, runsOf(runs.data));
  if (other === null && runs.data && others.length === 0) {
    return <Empty icon="copy" title={t("compare.alone")} detail={t("compare.aloneDetail")} />;
  }
  return (
    <>
      <Choice others={others} other={other} choose={choose} />
      {other === null ? (
        <Empty icon="copy" title={t("compare.start")} detail={t("compare.startDetail")} />
      ) : diff.data ? (
        <Diff diff={diff.data} />
      ) : diff.isError ? (
        <Failure error={diff.error} retry={() => void diff.refetch()} />
      ) : (
        <Rows count={3} height={96} />
      )}
    </>
  );
}

function Choice({
  others,
  other,
  choose,
}: {
  others: readonly Execution[];
  other: string | null;
  choose: (id: string | null) => void;
}) {
  const { t, name, instant } = useWords();
  const label = (each: Execution) =>
    `${instant(each.createdTime)} · ${name("phase", each.phase)} · ${money(each.costMicros)}`;
  const known = others.map((each) => ({ value: each.id, label: label(each) }));
  if (other && !others.some((each) => each.id === other))
    known.push({ value: other, label: other });
  return (
    <Select
      className={classes.choice}
      label={t("compare.choose")}
      placeholder={t("compare.placeholder")}
      searchable
      clearable
      clearButtonProps={{ "aria-label": t("app.cancel") }}
      data={known}
      value={other}
      onChange={choose}
    />
  );
}

function Diff({ diff }: { diff: RunDiff }) {
  const { t } = useWords();
  return (
    <>
      <Section title={t("compare.figures")}>
        <Figures left={diff.left} right={diff.right} />
      </Section>
      <Section title={t("compare.results")}>
        <div className={classes.sides}>
          <Side run={diff.left} title={t("compare.this")} />
          <Side run={diff.right} title={t("compare.other")} />
        </div>
      </Section>
      <Section title={t("compare.fields")}>
        <Fields changes={otherChanges(diff.changes)} />
      </Section>
      <Section title={t("compare.files")}>
        <FileChanges diff={diff} />
      </Section>
    </>
  );
}

function Figures({ left, right }: { left: Execution; right: Execution }) {
  const { t, duration, amount } = useWords();
  const figures = figuresOf(left, right);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard
    <div className={classes.scroll} tabIndex={0}>
      <table className={classes.figures}>
        <thead>
          <tr>
            <td />
            <th scope="col">{t("compare.this")}</th>
            <th scope="col">{t("compare.other")}</th>
            <th scope="col">{t("compare.change")}</th>
          </tr>
        </thead>
        <tbody>
          <Figure name={t("compare.cost")} of={figures.cost} format={money} />
          <Figure name={t("compare.duration")} of={figures.duration} format={duration} />
          <Figure name={t("compare.requests")} of={figures.requests} format={amount} />
          <Figure name={t("compare.tokens")} of={figures.tokens} format={amount} />
          <Figure name={t("compare.attempts")} of={figures.attempts} format={amount} />
        </tbody>
      </table>
    </div>
  );
}

function Figure({
  name,
  of,
  format,
}: {
  name: string;
  of: Difference;
  format: (value: number) => string;
}) {
  const shown = (value: number | null) => (value === null ? "–" : format(value));
  const tone = of.change === null || of.change === 0 ? "same" : of.change > 0 ? "more" : "less";
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{shown(of.left)}</td>
      <td>{shown(of.right)}</td>
      <td data-tone={tone}>
        {of.change === null ? "–" : signed(of.change, format)}
        {of.percent !== null && of.percent !== 0 && ` (${signed(of.percent, String)}%)`}
      </td>
    </tr>
  );
}

function Side({ run, title }: { run: Execution; title: string }) {
  const { t, name } = useWords();
  return (
    <article className={classes.side}>
      <header>
        <h3>
          <Link href={`/executions/${run.id}`}>{title}</Link>
        </h3>
        <Phase phase={run.phase} />
      </header>
      {run.result ? (
        <Words text={run.result} />
      ) : (
        <p className={classes.nothing}>
          {t("compare.noResult")}: {run.message || name("reason", run.reason)}
        </p>
      )}
    </article>
  );
}

function Fields({ changes }: { changes: FieldChange[] }) {
  const { t } = useWords();
  if (changes.length === 0) return <p className={classes.nothing}>{t("compare.sameFields")}</p>;
  return (
    <ul className={classes.fields}>
      {changes.map(({ field, before, after }) => (
        <li key={field}>
          <code>{field}</code>
          <div className={classes.sides}>
            <Value>{visible(shownValue(before)) || t("compare.nothing")}</Value>
            <Value>{visible(shownValue(after)) || t("compare.nothing")}</Value>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Value({ children }: { children: ReactNode }) {
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard
  return <pre tabIndex={0}>{children}</pre>;
}

function FileChanges({ diff }: { diff: RunDiff }) {
  const { t } = useWords();
  if (diff.files.length === 0) return <p className={classes.nothing}>{t("compare.noFiles")}</p>;
  return (
    <ul className={classes.files}>
      {diff.files.map((file) => (
        <li key={file.path} data-change={file.change}>
          <span>{file.path}</span>
          <span className={classes.how}>{t(`compare.file.${file.change}`)}</span>
          <FileLinks diff={diff} file={file} />
        </li>
      ))}
    </ul>
  );
}

function FileLinks({ diff, file }: { diff: RunDiff; file: FileChange }) {
  const { t } = useWords();
  return (
    <span className={classes.links}>
      {file.leftId && (
        <a href={filePath(diff.left, file.leftId)} target="_blank" rel="noreferrer">
          {t("compare.this")}
        </a>
      )}
      {file.rightId && (
        <a href={filePath(diff.right, file.rightId)} target="_blank" rel="noreferrer">
          {t("compare.other")}
        </a>
      )}
    </span>
  );
}
