// A short text as a QR code: an authenticator's address, a device's token.

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { encodeQR } from "qr";

/** Black on white in dark mode too: cheap scanners read nothing else. */
export function QrCode({ text, label }: { text: string; label: string }): JSX.Element {
  const modules = useMemo(() => encodeQR(text, "raw", { ecc: "medium", border: 4 }), [text]);
  const side = modules.length;
  const path = modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
