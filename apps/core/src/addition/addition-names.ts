import type { ArtifactRow } from '../artifact/artifact.store.js';

const BY_TYPE: ReadonlyMap<string, readonly AdditionName[]> = new Map([
  ['IMAGE', ['build_history']],
  ['CHART', ['values.yaml', 'readme.md', 'dependencies']],
  ['CNAI', ['readme.md', 'license', 'files']],
  ['SBOM', ['sbom']],
]);

/** Everything that an artifact can bring along beside its manifest. */
export const ADDITION_NAMES = ['build_history', 'values.yaml', 'readme.md', 'dependencies', 'sbom', 'license', 'files'] as const;
export type AdditionName = (typeof ADDITION_NAMES)[number];

/** What this artifact brings along; indexes leave it to what they name. */
export function additionsOf({ kind, type }: Pick<ArtifactRow, 'kind' | 'type'>): readonly AdditionName[] {
  return kind === 'image' ? (BY_TYPE.get(type) ?? []) : [];
}
