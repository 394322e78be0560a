import { useWords } from "../words/words";
import { Icon, type IconName } from "./icons";
import classes from "./Requests.module.css";

const REQUESTS = [
  { name: "news", icon: "file" },
  { name: "rate", icon: "coin" },
  { name: "report", icon: "chart" },
  { name: "watch", icon: "globe" },
  { name: "release", icon: "terminal" },
  { name: "expenses", icon: "copy" },
] as const satisfies { name: string; icon: IconName }[];

/** Requests to begin with: a press says exactly the words that stand on it. */
export function Requests({ say }: { say: (text: string) => void }) {
  const { t } = useWords();
  return (
    <section aria-label={t("home.requests")} className={classes.section}>
      <h2>{t("home.requests")}</h2>
      <p className={classes.detail}>{t("home.requestsDetail")}</p>
      <ul className={classes.requests}>
        {REQUESTS.map(({ name, icon }) => (
          <li key={name}>
            <button
              type="button"
              className={classes.request}
              onClick={() => say(t(`request.${name}Text`))}
            >
              <Icon name={icon} size={19} />
              <span>
                <strong>{t(`request.${name}`)}</strong>
                <span className={classes.text}>{t(`request.${name}Text`)}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
