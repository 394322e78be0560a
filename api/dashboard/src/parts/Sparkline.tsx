import { money } from "../words/formats";
import { useWords } from "../words/words";
import classes from "./Sparkline.module.css";

const WIDTH = 96;
const HEIGHT = 26;
const GAP = 2;

/** What the last runs cost, oldest first: a bar each. */
export function Sparkline({ costs }: { costs: readonly number[] }) {
  const { t } = useWords();
  if (costs.length === 0) return <span className={classes.none}>–</span>;
  const most = Math.max(...costs, 1);
  const width = Math.min(8, (WIDTH - GAP * (costs.length - 1)) / costs.length);
  const label = t("agents.costs", { count: costs.length, highest: money(Math.max(...costs)) });
  return (
    <svg
      role="img"
      aria-label={label}
      className={classes.line}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
    >
      {costs.map((cost, at) => {
        const height = Math.max(1.5, (cost / most) * HEIGHT);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={at}
            x={at * (width + GAP)}
            y={HEIGHT - height}
            width={width}
            height={height}
            rx="1"
          />
        );
      })}
    </svg>
  );
}
