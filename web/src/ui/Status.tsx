// How far the engine is, in one line.

import type { JSX } from "preact";
import { useSay } from "./parts";
import type { EngineState } from "./useEngine";

export function Status({ engine }: { engine: EngineState }): JSX.Element {
  const say = useSay();
  if (engine.fault)
    return (
      <div class="note urgent" role="alert">
        <span>{say(`engine.${engine.fault}`)}</span>
        <button onClick={engine.retry}>{say("engine.retry")}</button>
      </div>
    );
  if (!engine.ready) {
    const percent = Math.round(100 * engine.share);
    return (
      <div class="status" role="status">
        <progress max={100} value={percent} aria-label={say("engine.loading", { percent })} />
        <span>{percent < 100 ? say("engine.loading", { percent }) : say("engine.checking")}</span>
      </div>
    );
  }
  const key = engine.newer ? "newer" : engine.offline ? "ready_offline" : engine.ready.kept ? "ready" : "memory";
  return (
    <div class="status" role="status">
      <i class="dot" />
      <span>{say(`engine.${key}`)}</span>
    </div>
  );
}
