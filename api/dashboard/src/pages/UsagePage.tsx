import { Button, SegmentedControl, Select } from "@mantine/core";
import { useSearchParams } from "wouter";
import { useSpending, useUsage } from "../api/mine";
import type { UsageBy, UsageReport, UsageRow } from "../api/views";
import { dayOf, RANGES, type RangeName, spansYears } from "../lib/days";
import { saveText } from "../lib/saving";
import { asked, dayRows, dearest, tableRows, totalsOf, usageCsv, withNames } from "../lib/usage";
import { Chart } from "../parts/Chart";
import { DayRange } from "../parts/DayRange";
import { Facts } from "../parts/Facts";
import { Icon } from "../parts/icons";
import { PageHead, Section } from "../parts/Page";
import { Empty, Failure, Rows } from "../parts/States";
import { money, moneyOf, plainMoney } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./UsagePage.module.css";

const BY: readonly UsageBy[] = ["day", "agent", "model"];

/** What was spent, when, by whom and on what. The question is in the address. */
export default function UsagePage() {
  const { t, zone } = useWords();
  const [query, setQuery] = useSearchParams();
  const question = { ...asked(query, dayOf(Date.now(), zone)), timeZone: zone };
  const usage = useUsage({
    by: question.by,
    from: question.from,
    to: question.to,
    timeZone: zone,
  });
  const report = usage.data && withNames(usage.data, t("usage.noAgent"));
  const set = (change: Record<string, string>) => setQuery(change, { replace: true });
  return (
    <>
      <PageHead title={t("usage.title")} detail={t("usage.detail")}>
        <Button
          variant="default"
          leftSection={<Icon name="down" size={16} />}
          disabled={!report}
          onClick={() => report && keep(report)}
        >
          {t("usage.export")}
        </Button>
      </PageHead>
      <Question question={question} set={set} />
      {report ? (
        <Report report={report} />
      ) : usage.isError ? (
        <Failure error={usage.error} retry={() => void usage.refetch()} />
      ) : (
        <Rows count={3} height={110} />
      )}
    </>
  );
}

function keep(report: UsageReport): void {
  saveText(`usage-${report.by}-${report.from}-${report.to}.csv`, "text/csv", usageCsv(report));
}

function Question({
  question,
  set,
}: {
  question: ReturnType<typeof asked>;
  set: (change: Record<string, string>) => void;
}) {
  const { t, zone } = useWords();
  const { by, range, from, to } = question;
  const own = { by, from, to };
  return (
    <div className={classes.question}>
      <SegmentedControl
        aria-label={t("usage.by")}
        value={by}
        onChange={(chosen) => set(range ? { by: chosen, range } : { ...own, by: chosen })}
        data={BY.map((value) => ({ value, label: t(`usage.by.${value}`) }))}
      />
      <Select
        className={classes.range}
        aria-label={t("usage.range")}
        allowDeselect={false}
        value={range ?? "own"}
        onChange={(chosen) => set(chosen === "own" ? own : { by, range: chosen ?? "30d" })}
        data={[
          ...RANGES.map((value: RangeName) => ({ value, label: t(`usage.range.${value}`) })),
          { value: "own", label: t("usage.range.own") },
        ]}
      />
      {range === null && <DayRange range={{ from, to }} choose={(days) => set({ by, ...days })} />}
      <span className={classes.zone}>{t("usage.zone", { zone })}</span>
    </div>
  );
}

function Report({ report }: { report: UsageReport }) {
  const { t, date } = useWords();
  const points =
    report.by === "day"
      ? dayRows(report).map((row) => [date(row.key, spansYears(report)), row.costMicros] as const)
      : dearest(report, t("usage.others"));
  const isNothing = report.rows.every((row) => row.requests === 0 && row.costMicros === 0);
  return (
    <>
      <Totals report={report} />
      {isNothing ? (
        <Empty icon="chart" title={t("usage.none")} detail={t("usage.noneDetail")} />
      ) : (
        <>
          <div className={classes.chart}>
            <Chart
              title={t(`usage.chart.${report.by}`)}
              unit="micros"
              kind="bar"
              series={[{ name: t("usage.cost"), points }]}
            />
          </div>
          <Section title={t("usage.table")}>
            <Table report={report} />
          </Section>
        </>
      )}
    </>
  );
}

function Totals({ report }: { report: UsageReport }) {
  const { t, amount } = useWords();
  const spending = useSpending();
  const { requests, tokens } = totalsOf(report);
  const facts: [string, string][] = [
    [t("usage.total"), money(report.totalCostMicros)],
    [t("usage.requests"), amount(requests)],
    [t("usage.tokens"), amount(tokens)],
  ];
  if (report.forecast) {
    const { monthCostMicros, lowMicros, highMicros } = report.forecast;
    const low = plainMoney(lowMicros);
    const high = plainMoney(highMicros);
    facts.push([
      t("usage.forecast"),
      t("usage.between", { value: money(monthCostMicros), low, high }),
    ]);
  }
  if (spending && spending.capMicros !== null) {
    facts.push([
      t("usage.spent"),
      t("usage.spentOf", { spent: money(spending.spentMicros), cap: money(spending.capMicros) }),
    ]);
  }
  return <Facts label={t("run.facts")} facts={facts} />;
}

function Table({ report }: { report: UsageReport }) {
  const { t, day } = useWords();
  const most = Math.max(1, ...report.rows.map((row) => row.costMicros));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard
    <div className={classes.scroll} tabIndex={0}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">{t(`usage.by.${report.by}`)}</th>
            <th scope="col">{t("usage.cost")}</th>
            <td className={classes.bar} />
            <th scope="col">{t("usage.requests")}</th>
            <th scope="col">{t("usage.input")}</th>
            <th scope="col">{t("usage.output")}</th>
            <th scope="col">{t("usage.cached")}</th>
            <th scope="col">{t("usage.cacheWritten")}</th>
          </tr>
        </thead>
        <tbody>
          {tableRows(report).map((row) => (
            <Line
              key={row.key}
              row={row}
              name={report.by === "day" ? day(row.key, spansYears(report)) : row.label}
              model={report.by === "model" ? row.key : null}
              most={most}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({
  row,
  name,
  model,
  most,
}: {
  row: UsageRow;
  name: string;
  model: string | null;
  most: number;
}) {
  const { amount } = useWords();
  const { usage } = row;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{moneyOf(row.costMicros, model)}</td>
      <td className={classes.bar} aria-hidden="true">
        <progress value={row.costMicros} max={most} />
      </td>
      <td>{amount(row.requests)}</td>
      <td title={String(usage.inputTokens)}>{amount(usage.inputTokens)}</td>
      <td>{amount(usage.outputTokens)}</td>
      <td>{amount(usage.cacheReadTokens)}</td>
      <td>{amount(usage.cacheWriteTokens)}</td>
    </tr>
  );
}
