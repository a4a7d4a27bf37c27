import { Problem, type ProjectMetadata, type ProjectReq } from '@haven/api';

type Key = keyof ProjectMetadata;

const FLAGS: readonly Key[] = [
  'public', 'enable_content_trust', 'enable_content_trust_cosign', 'prevent_vul', 'auto_scan', 'auto_sbom_generation', 'reuse_sys_cve_allowlist',
  'allow_sparse_manifests',
];
const SEVERITIES = ['none', 'low', 'medium', 'high', 'critical', 'negligible'];

/** A project's settings as they are kept: the visibility is a column, the rest a document. */
export interface MetadataChange {
  readonly public: boolean | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The settings that a request body asks for; what it does not name stays as it is.
 *
 * @throws Problem BAD_REQUEST for values that no setting takes, and for settings of proxy caches, which projects here are not
 */
export function readMetadata({ public: legacy, metadata }: ProjectReq): MetadataChange {
  const wanted: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata ?? {}) as [Key, string | null | undefined][]) {
    if (value === null || value === undefined || value === '') continue;
    wanted[key] = normalised(key, value);
  }
  const { public: visibility, ...others } = wanted;
  return { public: visibility === undefined ? (legacy ?? undefined) : visibility === 'true', metadata: others };
}

/** The settings in the API's form. */
export function metadataOf(isPublic: boolean, metadata: Readonly<Record<string, unknown>>): ProjectMetadata {
  const texts = Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { ...Object.fromEntries(texts), public: String(isPublic) };
}

function normalised(key: Key, value: string): string {
  if (FLAGS.includes(key)) return flag(key, value);
  if (key === 'severity') return severity(value);
  throw new Problem('BAD_REQUEST', `metadata.${key} cannot be set here`);
}

function flag(key: Key, value: string): string {
  const text = value.toLowerCase();
  if (text === 'true' || text === 'false') return text;
  throw new Problem('BAD_REQUEST', `metadata.${key} must be "true" or "false"`);
}

function severity(value: string): string {
  const text = value.toLowerCase();
  if (SEVERITIES.includes(text)) return text === 'negligible' ? 'none' : text;
  throw new Problem('BAD_REQUEST', `metadata.severity must be one of ${SEVERITIES.join(', ')}`);
}
