// Drawn for this page: the stages of a lesion on light and on dark skin, and the places where lesions often are.

import type { JSX } from "preact";
import type { Place } from "../questions/answers";
import { useSay } from "./parts";

const STAGES = ["macule", "papule", "vesicle", "pustule", "crust", "scar"] as const;
type Stage = (typeof STAGES)[number];

type Drawing = "face" | "mouth" | "trunk" | "limb" | "palm" | "groin" | "sole";
const DRAWING: Readonly<Record<Place, Drawing>> = {
  face: "face", eyes: "face", neck: "face", mouth: "mouth", chest: "trunk", back: "trunk", arms: "limb",
  legs: "limb", hands: "palm", genitals: "groin", bottom: "groin", feet: "sole",
};
const COMMON: readonly Place[] = ["face", "mouth", "hands", "genitals", "feet"];

/** `where` are the places that were named; without them, those where it often is. */
export function Lesions({ where = [] }: { where?: readonly Place[] | undefined }): JSX.Element {
  const say = useSay();
  const shown = where.length ? where : COMMON;
  const drawings = [...new Set(shown.map((place) => DRAWING[place]))];
  const names = (drawing: Drawing): string =>
    shown.filter((place) => DRAWING[place] === drawing).map((place) => say(`question.where.${place}`)).join(", ");
  return (
    <div class="lesions">
      <p>{say("about.lesions_text")}</p>
      <p class="faint">{say("lesions.text")}</p>
      <ol class="stages">
        {STAGES.map((stage) => (
          <li key={stage}>
            <StagePicture stage={stage} />
            {say(`lesion.${stage}`)}
          </li>
        ))}
      </ol>
      <h3>{say(where.length ? "lesions.yours" : "lesions.places")}</h3>
      <ul class="stages">
        {drawings.map((drawing) => (
          <li key={drawing}>
            <PlacePicture drawing={drawing} />
            {names(drawing)}
          </li>
        ))}
      </ul>
      <p class="faint">{say("lesions.not")}</p>
    </div>
  );
}

const SKINS = [
  { x: 0, skin: "#e9bd98", shade: "#d9a57e", red: "#c0503a", pale: "#f6dcc6", brown: "#9a6243" },
  { x: 60, skin: "#6b4229", shade: "#573420", red: "#8e3b36", pale: "#a0765a", brown: "#3a2014" },
] as const;
type Skin = (typeof SKINS)[number];

/** From above, and cut through below: how high it stands is what tells the stages apart. */
function StagePicture({ stage }: { stage: Stage }): JSX.Element {
  return (
    <svg viewBox="0 0 120 84" aria-hidden="true">
      {SKINS.map((skin) => (
        <g key={skin.x} transform={`translate(${skin.x} 0)`}>
          <rect width="60" height="84" fill={skin.skin} />
          <g transform="translate(30 26)">
            <Above stage={stage} skin={skin} />
          </g>
          <g transform="translate(0 52)">
            <rect width="60" height="12" fill="var(--card)" />
            <Through stage={stage} skin={skin} />
          </g>
        </g>
      ))}
    </svg>
  );
}

function Above({ stage, skin }: { stage: Stage; skin: Skin }): JSX.Element {
  const halo = <circle r="17" fill={skin.red} opacity=".35" />;
  if (stage === "macule") return <path d="M-13-4c2-9 14-12 21-6s8 14 1 19-16 4-20-2-3-6-2-11z" fill={skin.red} opacity=".7" />;
  if (stage === "papule")
    return (
      <g>
        {halo}
        <circle r="12" fill={skin.red} />
        <ellipse cx="-3.5" cy="-4" rx="4.5" ry="3.4" fill="#fff" opacity=".38" />
      </g>
    );
  if (stage === "vesicle")
    return (
      <g>
        {halo}
        <circle r="12" fill={skin.red} />
        <circle r="9.5" fill="#dcebf2" opacity=".9" />
        <path d="M-5.5-3.5a7 7 0 0 1 5-3.5" stroke="#fff" stroke-width="2" stroke-linecap="round" fill="none" />
      </g>
    );
  if (stage === "pustule")
    return (
      <g>
        {halo}
        <circle r="13" fill={skin.red} />
        <circle r="10.5" fill="#f2e2ae" />
        <circle r="4" fill="#cfa868" />
        <circle r="2.2" fill="#8a5a3c" />
      </g>
    );
  if (stage === "crust")
    return (
      <g>
        {halo}
        <path d="M-12-2l4-9 9-2 9 4 4 8-4 9-9 5-9-3z" fill="#4a2a1c" />
        <path d="M-7-3l6-5 7 3M-6 5l5-4 8 4" stroke="#7a4a30" stroke-width="1.6" fill="none" stroke-linecap="round" />
      </g>
    );
  return (
    <g>
      <circle r="12" fill={skin.pale} />
      <circle r="12" fill="none" stroke={skin.brown} stroke-width="2" opacity=".7" />
      <path d="M-6-3l4 2 2-5 2 5 5-1-3 4 2 5-5-2-4 4-1-5-5-1z" fill={skin.brown} opacity=".3" />
    </g>
  );
}

/** The skin's surface is the line y = 12. */
const PROFILES: Readonly<Record<Stage, string>> = {
  macule: "",
  papule: "M14 12.5C18 2 42 2 46 12.5z",
  vesicle: "M14 12.5C15-2 45-2 46 12.5z",
  pustule: "M13 12.5C13-1 24-2 30 5c6-7 17-6 17 7.5z",
  crust: "M14 12.5l3-7 6-3 6 2 7-3 7 4 3 7z",
  scar: "",
};

function Through({ stage, skin }: { stage: Stage; skin: Skin }): JSX.Element {
  const filled = { macule: skin.red, papule: skin.red, vesicle: "#dcebf2", pustule: "#f2e2ae", crust: "#4a2a1c", scar: skin.pale }[stage];
  return (
    <g>
      <path d={stage === "scar" ? "M0 12h17c4 6 22 6 26 0h17v20H0z" : "M0 12h60v20H0z"} fill={skin.shade} />
      {stage === "macule" && <path d="M15 12h30c-3 5-27 5-30 0z" fill={skin.red} opacity=".8" />}
      {stage === "scar" && <path d="M17 12c4 6 22 6 26 0l-2 4c-5 4-17 4-22 0z" fill={skin.pale} />}
      {stage !== "macule" && stage !== "scar" && (
        <path d={PROFILES[stage]} fill={filled} stroke={stage === "papule" || stage === "crust" ? "none" : skin.red} stroke-width="1.8" />
      )}
    </g>
  );
}

const OUTLINES: Readonly<Record<Drawing, readonly string[]>> = {
  face: ["M36 78c-9-6-14-18-14-31 0-22 13-37 30-37s30 15 30 37c0 13-5 25-14 31M36 66v22M68 66v22", "M40 46h6M58 46h6M52 46v12l-4 3M44 70c5 3 11 3 16 0"],
  mouth: ["M14 48c10-12 22-18 30-13 4 3 12 3 16 0 8-5 20 1 30 13-10 18-24 24-38 24S24 66 14 48z", "M22 48c14-4 46-4 60 0-14 8-46 8-60 0z"],
  trunk: ["M30 10c2 10-2 14-12 18-4 2-6 6-6 12v50M74 10c-2 10 2 14 12 18 4 2 6 6 6 12v50M28 40c2 18 2 32-2 50M76 40c-2 18-2 32 2 50", "M52 62v5"],
  limb: ["M26 8c-6 22-2 38 2 50 3 10 3 20 2 32M66 8c8 20 8 36 2 50-4 10-6 20-4 32", "M34 62c6 4 20 4 26 0"],
  palm: ["M34 92V70c-8-6-20-18-22-26 4-4 9-1 13 4l9 8V20c0-6 8-6 8 0v24-32c0-6 9-6 9 0v32-29c0-6 9-6 9 0v31-23c0-6 8-6 8 0v34c0 14-4 20-8 26v20", "M36 62c8-8 20-9 28-6M40 72c6-8 14-11 22-11"],
  groin: ["M12 12c2 16 0 26-4 36 0 14 4 28 8 42M92 12c-2 16 0 26 4 36 0 14-4 28-8 42M10 40l34 28c5 4 11 4 16 0l34-28M52 71v19", ""],
  sole: ["M38 90c-9 0-12-8-11-17 1-10 5-15 3-26-2-9-2-18 4-24 6-5 22-7 30 2 6 8 4 18 0 27-4 10-5 16-6 24-1 8-8 14-20 14z", "M32 16a4 4 0 1 1 .1 0M42 11a4 4 0 1 1 .1 0M51 10a3.6 3.6 0 1 1 .1 0M59 12a3.4 3.4 0 1 1 .1 0M66 17a3 3 0 1 1 .1 0"],
};
const SPOTS: Readonly<Record<Drawing, readonly (readonly [x: number, y: number, r: number])[]>> = {
  face: [[34, 34, 3.5], [66, 30, 3], [70, 56, 3.5], [38, 60, 3], [60, 78, 3], [52, 24, 2.5], [31, 50, 2.5]],
  mouth: [[30, 34, 3.5], [74, 33, 3], [40, 60, 4], [66, 62, 3], [52, 29, 2.5], [20, 62, 3]],
  trunk: [[40, 36, 3.5], [62, 48, 3], [46, 76, 3.5], [66, 74, 2.5], [34, 56, 2.5], [56, 30, 2.5]],
  limb: [[40, 24, 3.5], [56, 40, 3], [44, 52, 2.5], [50, 74, 3.5], [38, 80, 2.5]],
  palm: [[46, 64, 3.5], [60, 72, 3], [44, 80, 3], [54, 30, 2.5], [64, 56, 2.5], [38, 44, 2.5], [22, 50, 2.5]],
  groin: [[52, 58, 3.5], [40, 56, 3], [64, 60, 3], [34, 74, 3], [72, 78, 3.5], [52, 40, 2.5]],
  sole: [[46, 34, 3.5], [58, 40, 3], [40, 56, 3], [46, 76, 3.5], [36, 80, 2.5], [54, 56, 2.5]],
};

/** Outlines without the colour of any skin. */
function PlacePicture({ drawing }: { drawing: Drawing }): JSX.Element {
  const [outline, detail] = OUTLINES[drawing];
  return (
    <svg class="place" viewBox="0 0 104 96" aria-hidden="true">
      <path d={outline} class="line" />
      <path d={detail} class="line fine" />
      {SPOTS[drawing].map(([x, y, r]) => (
        <g key={x}>
          <circle cx={x} cy={y} r={r} class="spot" />
          <circle cx={x} cy={y} r={r * 0.35} class="dent" />
        </g>
      ))}
    </svg>
  );
}
