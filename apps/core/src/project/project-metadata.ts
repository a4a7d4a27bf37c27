import { Problem, type ProjectMetadata, type ProjectReq } from '@haven/api';

type Key = keyof ProjectMetadata;

const FLAGS: readonly string[] = [
  'public', 'enable_content_trust', 'enable_content_trust_cosign', 'prevent_vul', 'auto_scan', 'auto_sbom_generation', 'reuse_sys_cve_allowlist',
  'allow_sparse_manifests',
];
/** Of proxy caches only, which projects here are not. */
const PROXY_KEYS: readonly string[] = [
  'proxy_speed_kb', 'max_upstream_conn', 'proxy_cache_local_on_not_found', 'proxy_referrer_api', 'proxy_cache_filter_pattern', 'proxy_cache_filter_kind',
];
/** Follows from the project's retention policy; nobody sets it. */
export const RETENTION_KEY = 'retention_id';
const SEVERITIES = ['none', 'low', 'medium', 'high', 'critical', 'negligible'];
const TRUE_WORDS = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE_WORDS = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** A project's settings as they are kept: the visibility is a column, the rest a document. */
export interface MetadataChange {
  readonly public: boolean | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The settings that a project's body asks for; what it does not name stays as it is, and what only proxy caches have is
 * passed over. `retention_id` is left to those who know what it is.
 *
 * @throws Problem BAD_REQUEST for values that no setting takes
 */
export function readMetadata({ public: legacy, metadata }: ProjectReq): MetadataChange {
  const wanted: Record<string, string> = {};
  for (const [key, value] of Object.entries(metadata ?? {}) as [Key, string | null | undefined][]) {
    if (value === null || value === undefined || value === '' || key === RETENTION_KEY || PROXY_KEYS.includes(key)) continue;
    wanted[key] = key === 'severity' ? severity(value) : wordOfFlag(key, value);
  }
  const { public: visibility, ...others } = wanted;
  return { public: visibility === undefined ? (legacy ?? undefined) : visibility === 'true', metadata: others };
}

/**
 * The one setting of a request to /metadatas, in the form that it is kept in.
 *
 * @throws Problem BAD_REQUEST when there is not exactly one, and for keys and values that there are not
 */
export function readOneSetting(request: Readonly<Record<string, string>> | undefined): readonly [key: string, value: string] {
  const [[key, value] = ['', ''], ...others] = Object.entries(request ?? {});
  if (key === '' || others.length > 0) throw new Problem('BAD_REQUEST', 'send exactly one setting, e.g. {"auto_scan": "true"}');
  requireSettable(key);
  return [key, key === 'severity' ? severity(value) : parsedFlag(key, value)];
}

/** Refuses keys that cannot be set one by one. */
export function requireSettable(key: string): void {
  if (FLAGS.includes(key) || key === 'severity') return;
  const name = key.slice(0, 64);
  if (key === RETENTION_KEY) throw new Problem('BAD_REQUEST', `${name} follows from the retention policy of the project; change that one`);
  if (PROXY_KEYS.includes(key)) throw new Problem('BAD_REQUEST', `${name} can be set on proxy caches only`);
  throw new Problem('BAD_REQUEST', `there is no setting ${name}; there are ${[...FLAGS, 'severity'].join(', ')}`);
}

/** The settings in the API's form. */
export function metadataOf(isPublic: boolean, metadata: Readonly<Record<string, unknown>>, retentionId?: number): Record<string, string> {
  const texts = Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[0] !== RETENTION_KEY);
  return { ...Object.fromEntries(texts), public: String(isPublic), ...(retentionId === undefined ? {} : { [RETENTION_KEY]: String(retentionId) }) };
}

function wordOfFlag(key: string, value: string): string {
  const text = value.toLowerCase();
  if (text === 'true' || text === 'false') return text;
  throw new Problem('BAD_REQUEST', `metadata.${key} must be "true" or "false"`);
}

function parsedFlag(key: string, value: string): string {
  if (TRUE_WORDS.includes(value)) return 'true';
  if (FALSE_WORDS.includes(value)) return 'false';
  throw new Problem('BAD_REQUEST', `${key} must be "true" or "false"`);
}

function severity(value: string): string {
  const text = value.toLowerCase();
  if (SEVERITIES.includes(text)) return text === 'negligible' ? 'none' : text;
  throw new Problem('BAD_REQUEST', `severity must be one of ${SEVERITIES.join(', ')}`);
}
