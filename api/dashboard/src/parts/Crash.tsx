import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useWords } from "../words/words";
import { Empty } from "./States";

/** A page that breaks does not take the others with it. */
export class Crash extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    return this.state.error ? <Crashed error={this.state.error} /> : this.props.children;
  }
}

function Crashed({ error }: { error: Error }) {
  const { t } = useWords();
  return (
    <Empty icon="alert" title={t("error.crash")} detail={t("error.crashDetail")}>
      <code>{error.message}</code>
      <Button mt="sm" onClick={() => location.reload()}>
        {t("app.reload")}
      </Button>
    </Empty>
  );
}
