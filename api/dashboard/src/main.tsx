import "@fontsource-variable/inter/wght.css";
import "@mantine/core/styles.css";
import "./styles.css";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { lendNonce } from "./theme";

lendNonce();

const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
