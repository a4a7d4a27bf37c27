import { z } from 'zod';
import { Flag, text, Timestamp } from './fields.js';
import { Label } from './label.js';
import { listParameters } from './paging.js';
import { NativeReportSummary, SbomOverview } from './scan-overview.js';

export const Tag = z.object({
  id: z.number().int(),
  repository_id: z.number().int(),
  artifact_id: z.number().int(),
  name: z.string(),
  push_time: Timestamp,
  pull_time: Timestamp,
  immutable: z.boolean().optional(),
}).meta({ id: 'Tag' });
export type Tag = z.infer<typeof Tag>;

/** A signature, SBOM or other artifact that belongs to another one. `size` is in bytes. */
export const Accessory = z.object({
  id: z.number().int(),
  artifact_id: z.number().int(),
  subject_artifact_id: z.number().int().optional(),
  subject_artifact_digest: z.string(),
  subject_artifact_repo: z.string(),
  size: z.number().int(),
  digest: z.string(),
  type: z.string(),
  icon: z.string(),
  creation_time: Timestamp,
}).meta({ id: 'Accessory' });
export type Accessory = z.infer<typeof Accessory>;

const Annotations = z.record(z.string(), z.string());

/** An index's entry. `child_id` is missing when the index names an artifact that is not here. */
export const Reference = z.object({
  parent_id: z.number().int(),
  child_id: z.number().int().optional(),
  child_digest: z.string(),
  platform: z.looseObject({
    architecture: z.string().optional(),
    os: z.string().optional(),
    'os.version': z.string().optional(),
    'os.features': z.array(z.string()).optional(),
    variant: z.string().optional(),
  }).optional(),
  annotations: Annotations.optional(),
  urls: z.array(z.string()).optional(),
}).meta({ id: 'Reference' });
export type Reference = z.infer<typeof Reference>;

/**
 * `size` counts, in bytes, the manifest with everything it names. `inherited_accessories` are the signatures of the
 * indexes that name an artifact without one of its own.
 */
export const Artifact = z.object({
  id: z.number().int(),
  type: z.string(),
  media_type: z.string(),
  manifest_media_type: z.string(),
  artifact_type: z.string(),
  project_id: z.number().int(),
  repository_id: z.number().int(),
  repository_name: z.string(),
  digest: z.string(),
  size: z.number().int(),
  icon: z.string(),
  push_time: Timestamp,
  pull_time: Timestamp,
  extra_attrs: z.record(z.string(), z.unknown()),
  annotations: Annotations.nullable(),
  references: z.array(Reference).nullable(),
  tags: z.array(Tag).nullable(),
  addition_links: z.record(z.string(), z.object({ href: z.string(), absolute: z.boolean() })),
  accessories: z.array(Accessory).nullable(),
  inherited_accessories: z.array(Accessory).nullable().optional(),
  labels: z.array(Label).nullable(),
  scan_overview: z.record(z.string(), NativeReportSummary).optional(),
  sbom_overview: SbomOverview.optional(),
}).meta({ id: 'Artifact' });
export type Artifact = z.infer<typeof Artifact>;

/** One entry of an image config's `history` (OCI image specification). */
export const BuildStep = z.object({
  created: z.string().optional(),
  created_by: z.string().optional(),
  author: z.string().optional(),
  comment: z.string().optional(),
  empty_layer: z.boolean().optional(),
}).meta({ id: 'BuildStep' });

export const BuildHistory = z.array(BuildStep);
export type BuildHistory = z.infer<typeof BuildHistory>;

/** What a chart needs: another chart, the versions that will do, and where it is found. */
export const ChartDependency = z.object({ name: z.string(), version: z.string(), repository: z.string() }).meta({ id: 'ChartDependency' });
export type ChartDependency = z.infer<typeof ChartDependency>;

/** A file or folder of a model; `size` is in bytes. */
export interface ModelFile {
  readonly name: string;
  readonly type: 'file' | 'directory';
  readonly size: number;
  readonly children?: readonly ModelFile[];
}

const parts = {
  with_tag: Flag.optional(),
  with_accessory: Flag.optional(),
  with_label: Flag.optional(),
  with_scan_overview: Flag.optional(),
  with_sbom_overview: Flag.optional(),
  with_signature: Flag.optional(),
  with_immutable_status: Flag.optional(),
  with_inherited_accessory: Flag.optional(),
};

export const ArtifactListQuery = z.object({ ...listParameters, ...parts }).meta({ id: 'ArtifactListQuery' });
export type ArtifactListQuery = z.infer<typeof ArtifactListQuery>;

/** `latest_in_repository` shows the newest artifact of each repository, of the one media_type or artifact_type in `q`. */
export const ProjectArtifactListQuery = z.object({ ...listParameters, ...parts, latest_in_repository: Flag.optional() }).meta({ id: 'ProjectArtifactListQuery' });
export type ProjectArtifactListQuery = z.infer<typeof ProjectArtifactListQuery>;

/** Names the source of a copy as project/repository:tag or project/repository@digest; two of them name none. */
export const ArtifactCopyQuery = z.object({
  from: z.preprocess((value) => (Array.isArray(value) ? '' : value), z.string()),
}).meta({ id: 'ArtifactCopyQuery' });
export type ArtifactCopyQuery = z.infer<typeof ArtifactCopyQuery>;

/** Body of POST …/artifacts/{reference}/tags; clients send a whole tag, of which the name counts. */
export const NewTag = z.object({ name: text(1024) }).meta({ id: 'NewTag' });
export type NewTag = z.infer<typeof NewTag>;

export const ArtifactQuery = z.object(parts).meta({ id: 'ArtifactQuery' });
export type ArtifactQuery = z.infer<typeof ArtifactQuery>;

export const TagListQuery = z.object({ ...listParameters, with_immutable_status: Flag.optional() }).meta({ id: 'TagListQuery' });
export type TagListQuery = z.infer<typeof TagListQuery>;
