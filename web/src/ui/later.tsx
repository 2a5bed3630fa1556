// Parts of the page that are fetched when they are first shown, so that the first visit is small.

import type { ComponentType, JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { useSay } from "./parts";

/** A component that waits for its module. `load` must be the same function at every call. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  return function Later(props: Props): JSX.Element {
    const say = useSay();
    const [Found, setFound] = useState<ComponentType<Props> | null>(null);
    const [failed, setFailed] = useState(false);
    const start = (): void => {
      setFailed(false);
      load().then(
        (component) => setFound(() => component),
        () => setFailed(true),
      );
    };
    useLayoutEffect(start, []);
    if (Found) return <Found {...props} />;
    if (!failed) return <p class="faint busy">{say("lock.working")}</p>;
    return (
      <p role="alert" class="bad">
        {say("engine.network")} <button onClick={start}>{say("engine.retry")}</button>
      </p>
    );
  };
}
