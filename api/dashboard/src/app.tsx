import { MantineProvider } from "@mantine/core";
import { type Query, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useEffect } from "react";
import { Route, Router, Switch, useLocation } from "wouter";
import { useWaitingAsks } from "./api/approvals";
import { ApiError } from "./api/client";
import { useNews } from "./api/news";
import { fetched } from "./lib/fetched";
import { guardedNavigation, useLeaving } from "./lib/unsaved";
import { startLive } from "./live/start";
import { useIsOver } from "./live/state";
import { HomePage } from "./pages/HomePage";
import { MissingPage } from "./pages/MissingPage";
import { Crash } from "./parts/Crash";
import { showUnseen } from "./parts/Page";
import { Shell } from "./parts/Shell";
import { Rows } from "./parts/States";
import { pageNonce, schemes, theme, variables } from "./theme";
import { useWords } from "./words/words";

const ChatPage = fetched(() => import("./pages/ChatPage"));
const RunsPage = fetched(() => import("./pages/RunsPage"));
const RunPage = fetched(() => import("./pages/RunPage"));
const AgentsPage = fetched(() => import("./pages/AgentsPage"));
const AgentPage = fetched(() => import("./pages/AgentPage"));
const ApprovalsPage = fetched(() => import("./pages/ApprovalsPage"));
const ApprovalPage = fetched(() => import("./pages/ApprovalPage"));
const UsagePage = fetched(() => import("./pages/UsagePage"));
const KeysPage = fetched(() => import("./pages/KeysPage"));
const SecretsPage = fetched(() => import("./pages/SecretsPage"));
const WebhooksPage = fetched(() => import("./pages/WebhooksPage"));
const LeaveDialog = fetched(() => import("./parts/LeaveDialog"));
const SettingsPage = fetched(() => import("./pages/SettingsPage"));

const TRIES = 2;
/** It is gone, or not theirs (any more): then what was read before is not shown either. */
const REFUSALS: readonly number[] = [401, 403, 404];

/** Reports keep what was read fresh, so nothing is read twice without a reason. */
const client = new QueryClient({
  queryCache: new QueryCache({ onError: dropRefused }),
  defaultOptions: {
    queries: {
      // The server may be on this machine, or in this house: whether there is an internet is no sign.
      networkMode: "always",
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      retry: (failures, error) =>
        failures < TRIES &&
        !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
    // A command is sent once, and says at once when nobody takes it.
    mutations: { networkMode: "always", retry: false },
  },
});

function dropRefused(error: Error, query: Query<unknown, unknown, unknown>): void {
  if (!(error instanceof ApiError && REFUSALS.includes(error.status))) return;
  query.setState({ data: undefined, dataUpdatedAt: 0 });
}

export function App() {
  useEffect(() => startLive(client), []);
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      colorSchemeManager={schemes}
      cssVariablesResolver={variables}
      getStyleNonce={pageNonce}
    >
      <QueryClientProvider client={client}>
        <PageLanguage />
        <UnseenNews />
        <Router aroundNav={guardedNavigation}>
          <Shell>
            <Pages />
          </Shell>
          <Leaving />
        </Router>
      </QueryClientProvider>
    </MantineProvider>
  );
}

function Pages() {
  const [location] = useLocation();
  // What a page holds itself goes with the session, too.
  const isOver = useIsOver();
  return (
    <Crash key={`${pageOf(location)} ${isOver}`}>
      <Suspense fallback={<Rows count={4} />}>
        <Switch>
          <Route path="/" component={HomePage} />
          <Route path="/static/dashboard.html" component={HomePage} />
          <Route path="/chat/:id?">{({ id }) => <ChatPage id={id ?? null} />}</Route>
          <Route path="/executions" component={RunsPage} />
          <Route path="/executions/:id">{({ id }) => <RunPage key={id} id={id} />}</Route>
          <Route path="/agents" component={AgentsPage} />
          <Route path="/agents/:id">{({ id }) => <AgentPage key={id} id={id} />}</Route>
          <Route path="/approvals" component={ApprovalsPage} />
          <Route path="/approvals/:id">{({ id }) => <ApprovalPage key={id} id={id} />}</Route>
          <Route path="/usage" component={UsagePage} />
          <Route path="/keys" component={KeysPage} />
          <Route path="/secrets" component={SecretsPage} />
          <Route path="/webhooks" component={WebhooksPage} />
          <Route path="/settings" component={SettingsPage} />
          <Route>
            <MissingPage />
          </Route>
        </Switch>
      </Suspense>
    </Crash>
  );
}

/** The chat is one page for all conversations: it stays while one begins. */
function pageOf(location: string): string {
  return location.startsWith("/chat") ? "/chat" : location;
}

/** Loaded with the first way out that is asked about. */
function Leaving() {
  if (!useLeaving()) return null;
  return (
    <Suspense fallback={null}>
      <LeaveDialog />
    </Suspense>
  );
}

/** A screen reader pronounces by the language of the document. */
function PageLanguage() {
  const { language } = useWords();
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return null;
}

function UnseenNews() {
  const count = useNews().length + useWaitingAsks().length;
  useEffect(() => showUnseen(count), [count]);
  return null;
}
