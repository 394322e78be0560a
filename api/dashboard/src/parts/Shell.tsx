import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { beginPage } from "../lib/scrolling";
import { useWords } from "../words/words";
import { Expiry } from "./Expiry";
import { Icon, type IconName, Sun } from "./icons";
import classes from "./Shell.module.css";
import { StatusBar } from "./StatusBar";

const PLACES = [
  { path: "/", icon: "home", text: "nav.home" },
  { path: "/chat", icon: "chat", text: "nav.chat" },
  { path: "/executions", icon: "runs", text: "nav.executions" },
  { path: "/approvals", icon: "shield", text: "nav.approvals" },
  { path: "/agents", icon: "agents", text: "nav.agents" },
  { path: "/usage", icon: "chart", text: "nav.usage" },
  {
    path: "/settings",
    within: ["/keys", "/secrets", "/webhooks"],
    icon: "settings",
    text: "nav.settings",
  },
] as const satisfies { path: string; within?: readonly string[]; icon: IconName; text: string }[];

/** What surrounds every page: navigation, and the bar that tells what is going on. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useWords();
  const main = useMainFocus();
  const [location] = useLocation();
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        {t("app.skip")}
      </a>
      <header className={classes.side}>
        <Link href="/" className={classes.brand}>
          <Sun />
          <span>Heliostat</span>
        </Link>
        <nav aria-label={t("app.navigation")} className={classes.nav}>
          {PLACES.map((place) => (
            <Place key={place.path} {...place} text={t(place.text)} />
          ))}
        </nav>
      </header>
      <main
        id="main"
        ref={main}
        tabIndex={-1}
        className={classes.main}
        data-wide={location.startsWith("/chat") || undefined}
      >
        <Expiry />
        {children}
      </main>
      <StatusBar />
    </div>
  );
}

function Place({
  path,
  icon,
  text,
  within = [],
}: {
  path: string;
  icon: IconName;
  text: string;
  within?: readonly string[];
}) {
  const [location] = useLocation();
  const isHere =
    path === "/" ? location === "/" : [path, ...within].some((each) => location.startsWith(each));
  return (
    <Link href={path} className={classes.place} aria-current={isHere ? "page" : undefined}>
      <Icon name={icon} size={20} />
      <span>{text}</span>
    </Link>
  );
}

/** A new page begins at its top, one that somebody comes back to where they left it; a screen reader begins with it. */
function useMainFocus() {
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const last = useRef(location);
  useEffect(() => {
    if (last.current === location) return;
    last.current = location;
    // Who is writing goes on writing: a conversation that began has got its address.
    if (document.activeElement instanceof HTMLTextAreaElement) return;
    main.current?.focus({ preventScroll: true });
    return beginPage();
  }, [location]);
  return main;
}
