import { useStart } from "../lib/commands";
import { useWords } from "../words/words";
import { Icon, type IconName } from "./icons";
import classes from "./Samples.module.css";
import { Refusal } from "./States";

const SAMPLES = [
  { name: "hello", icon: "file" },
  { name: "sales", icon: "chart" },
  { name: "hurried", icon: "shield" },
] as const satisfies { name: string; icon: IconName }[];

/** Examples, one press each: it makes the agent and runs it. */
export function Samples({ isNarrow = false }: { isNarrow?: boolean }) {
  const { t } = useWords();
  const start = useStart();
  const started = start.isPending ? start.variables.path : null;
  return (
    <>
      <Refusal error={start.error} />
      <ul className={classes.samples} data-narrow={isNarrow || undefined}>
        {SAMPLES.map(({ name, icon }) => {
          const path = `/api/samples/${name}`;
          return (
            <li key={name}>
              <button
                type="button"
                className={classes.sample}
                disabled={start.isPending}
                onClick={() => start.mutate({ path })}
              >
                <span className={classes.icon}>
                  <Icon name={icon} size={isNarrow ? 20 : 24} />
                </span>
                <span className={classes.title}>{t(`sample.${name}`)}</span>
                <span className={classes.detail}>{t(`sample.${name}Detail`)}</span>
                <span className={classes.go}>
                  <Icon name="play" size={15} />
                  {started === path ? t("sample.starting") : t("sample.run")}
                  <code className={classes.name}>{name}</code>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
