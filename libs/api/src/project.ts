import { z } from 'zod';
import { CVEAllowlist, CVEAllowlistReq } from './allowlist.js';
import { Flag, text, Timestamp } from './fields.js';
import { listParameters } from './paging.js';
import { Registry } from './registry.js';
import { ResourceList } from './quota.js';

const word = text(255).nullable().optional();

/** A project's settings, as the Harbor API has them: every value is a string. */
export const ProjectMetadata = z.object({
  public: word,
  enable_content_trust: word,
  enable_content_trust_cosign: word,
  prevent_vul: word,
  severity: word,
  auto_scan: word,
  auto_sbom_generation: word,
  reuse_sys_cve_allowlist: word,
  retention_id: word,
  /** Haven's own: manifests may name content that the repository does not hold. */
  allow_sparse_manifests: word,
  proxy_speed_kb: word,
  max_upstream_conn: word,
  proxy_cache_local_on_not_found: word,
  proxy_referrer_api: word,
  proxy_cache_filter_pattern: word,
  proxy_cache_filter_kind: word,
}).meta({ id: 'ProjectMetadata' });
export type ProjectMetadata = z.infer<typeof ProjectMetadata>;

/** Body of POST /projects and PUT /projects/{p}. `storage_limit` is in bytes, -1 for none. */
export const ProjectReq = z.object({
  project_name: text(255).optional(),
  public: z.boolean().nullable().optional(),
  metadata: ProjectMetadata.nullable().optional(),
  cve_allowlist: CVEAllowlistReq.nullable().optional(),
  storage_limit: z.number().int().nullable().optional(),
  registry_id: z.number().int().nullable().optional(),
}).meta({ id: 'ProjectReq' });
export type ProjectReq = z.infer<typeof ProjectReq>;

/** `repo_count`, `cve_allowlist` and the caller's roles are left out of lists that are asked for without details. */
export const Project = z.object({
  project_id: z.number().int(),
  owner_id: z.number().int(),
  name: z.string(),
  owner_name: z.string(),
  creation_time: Timestamp,
  update_time: Timestamp,
  deleted: z.boolean(),
  togglable: z.boolean().optional(),
  current_user_role_id: z.number().int().optional(),
  current_user_role_ids: z.array(z.number().int()).optional(),
  repo_count: z.number().int().optional(),
  /** Only of proxy caches. */
  registry_id: z.number().int().optional(),
  metadata: ProjectMetadata,
  cve_allowlist: CVEAllowlist.optional(),
}).meta({ id: 'Project' });
export type Project = z.infer<typeof Project>;

export const ProjectListQuery = z.object({
  ...listParameters,
  name: text(255).optional(),
  public: Flag.optional(),
  owner: text(255).optional(),
  with_detail: Flag.optional(),
}).meta({ id: 'ProjectListQuery' });
export type ProjectListQuery = z.infer<typeof ProjectListQuery>;

export const ProjectHeadQuery = z.object({ project_name: text(255) }).meta({ id: 'ProjectHeadQuery' });
export type ProjectHeadQuery = z.infer<typeof ProjectHeadQuery>;

export const ProjectDeletable = z.object({ deletable: z.boolean(), message: z.string().optional() }).meta({ id: 'ProjectDeletable' });
export type ProjectDeletable = z.infer<typeof ProjectDeletable>;

/** Body of POST and PUT below /projects/{p}/metadatas: exactly one setting. */
export const MetadataReq = z.record(text(255), text(255)).meta({ id: 'MetadataReq' }).optional();
export type MetadataReq = z.infer<typeof MetadataReq>;

export const Metadata = z.record(z.string(), z.string()).meta({ id: 'Metadata' });
export type Metadata = z.infer<typeof Metadata>;

/** Member counts only for callers who may list members, the quota (bytes) only for those who may read it. */
export const ProjectSummary = z.object({
  repo_count: z.number().int(),
  project_admin_count: z.number().int().optional(),
  maintainer_count: z.number().int().optional(),
  developer_count: z.number().int().optional(),
  guest_count: z.number().int().optional(),
  limited_guest_count: z.number().int().optional(),
  quota: z.object({ hard: ResourceList, used: ResourceList }).optional(),
  registry: Registry.optional(),
}).meta({ id: 'ProjectSummary' });
export type ProjectSummary = z.infer<typeof ProjectSummary>;
