import { digestOf, type Digest } from '@haven/oci';
import { squarePng, type Colour } from './png.js';

/** Pixels of an icon on each side, as the Harbor API has them. */
const SIZE = 50;
const DOTS = 12;
const DOT = 3;
const MARGIN = (SIZE - DOTS * DOT) / 2;
const CORNER = 9;

interface Drawing {
  readonly background: Colour;
  /** Twelve rows of twelve dots; `#` is drawn. */
  readonly dots: readonly string[];
}

/** What artifacts and accessories look like: our own drawings, a white sign on a coloured tile. */
const DRAWINGS = {
  default: { background: [108, 117, 125, 255], dots: ['.....##.....', '...##..##...', '.##......##.', '#..........#', '###......###', '#..##..##..#', '#....##....#', '#....##....#', '#....##....#', '.##..##..##.', '...##.###...', '.....##.....'] },
  image: { background: [23, 105, 170, 255], dots: ['............', '....##.##...', '....##.##...', '.##.##.##.##', '.##.##.##.##', '............', '############', '.##########.', '.##########.', '..########..', '...######...', '............'] },
  chart: { background: [15, 76, 129, 255], dots: ['.....##.....', '.#...##...#.', '..#.####.#..', '...######...', '..##....##..', '####....####', '####....####', '..##....##..', '...######...', '..#.####.#..', '.#...##...#.', '.....##.....'] },
  cnab: { background: [120, 66, 18, 255], dots: ['############', '#....##....#', '#....##....#', '#....##....#', '############', '#..........#', '#..........#', '#...####...#', '#...####...#', '#..........#', '#..........#', '############'] },
  wasm: { background: [101, 79, 240, 255], dots: ['####....####', '#..#....#..#', '#..######..#', '#..........#', '#.#..#..#..#', '#.#..#..#..#', '#.#.#.#.#..#', '#.#.#.#.#..#', '#..#...#...#', '#..........#', '#..........#', '############'] },
  cnai: { background: [0, 121, 107, 255], dots: ['............', '.##......##.', '.##......##.', '...#....#...', '....####....', '....####....', '....####....', '....####....', '...#....#...', '.##......##.', '.##......##.', '............'] },
  sbom: { background: [46, 125, 50, 255], dots: ['.##########.', '.#........#.', '.#.#.####.#.', '.#........#.', '.#.#.####.#.', '.#........#.', '.#.#.####.#.', '.#........#.', '.#.#.##...#.', '.#........#.', '.#........#.', '.##########.'] },
  cosign: { background: [198, 40, 40, 255], dots: ['....####....', '...#....#...', '...#....#...', '...#....#...', '.##########.', '.##########.', '.####..####.', '.####..####.', '.#####.####.', '.####..####.', '.##########.', '.##########.'] },
  notation: { background: [230, 81, 0, 255], dots: ['.........##.', '........####', '.......####.', '......####..', '.....####...', '....####....', '...####.....', '..####......', '..###.......', '..#.........', '............', '.##########.'] },
  nydus: { background: [69, 39, 160, 255], dots: ['......##....', '.....##.....', '....##......', '...##.......', '..########..', '.########...', '.....##.....', '....##......', '...##.......', '..##........', '.##.........', '............'] },
} as const satisfies Record<string, Drawing>;

export type BuiltInIconName = keyof typeof DRAWINGS;

const files = new Map<Digest, Buffer>();
const digests = new Map<string, Digest>();
for (const [name, drawing] of Object.entries(DRAWINGS)) {
  const file = draw(drawing);
  const digest = digestOf(file);
  files.set(digest, file);
  digests.set(name, digest);
}

const NAMES_BY_TYPE: ReadonlyMap<string, BuiltInIconName> = new Map([
  ['IMAGE', 'image'], ['CHART', 'chart'], ['CNAB', 'cnab'], ['WASM', 'wasm'], ['CNAI', 'cnai'], ['SBOM', 'sbom'],
]);

const NAMES_BY_ACCESSORY_TYPE: ReadonlyMap<string, BuiltInIconName> = new Map([
  ['signature.cosign', 'cosign'], ['signature.notation', 'notation'], ['accelerator.nydus', 'nydus'], ['sbom.harbor', 'sbom'],
]);

/** The PNG file of a built-in icon. */
export function builtInIcon(digest: Digest): Buffer | undefined {
  return files.get(digest);
}

/** The icon of artifacts of a type such as IMAGE. */
export function iconOfType(type: string): Digest {
  return digestOfIcon(NAMES_BY_TYPE.get(type) ?? 'default');
}

/** The icon of accessories of a type such as signature.cosign. */
export function iconOfAccessoryType(type: string): Digest {
  return digestOfIcon(NAMES_BY_ACCESSORY_TYPE.get(type) ?? 'default');
}

function digestOfIcon(name: BuiltInIconName): Digest {
  const digest = digests.get(name);
  if (digest === undefined) throw new Error(`there is no drawing called ${name}`);
  return digest;
}

function draw({ background, dots }: Drawing): Buffer {
  const pixels = new Uint8Array(SIZE * SIZE);
  for (let y = 0; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) {
      if (!inTile(x, y)) continue;
      const dot = dots[Math.floor((y - MARGIN) / DOT)]?.[Math.floor((x - MARGIN) / DOT)];
      pixels[y * SIZE + x] = dot === '#' ? 2 : 1;
    }
  }
  return squarePng(SIZE, [[0, 0, 0, 0], background, [255, 255, 255, 255]], pixels);
}

/** Whether a pixel lies in the tile, whose corners are round. */
function inTile(x: number, y: number): boolean {
  const outside = (at: number): number => Math.max(CORNER - at - 0.5, at + 0.5 - (SIZE - CORNER), 0);
  return Math.hypot(outside(x), outside(y)) <= CORNER;
}
