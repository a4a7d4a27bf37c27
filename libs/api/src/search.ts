import { z } from 'zod';
import { text } from './fields.js';
import { Project } from './project.js';

export const SearchQuery = z.object({ q: text(255) }).meta({ id: 'SearchQuery' });
export type SearchQuery = z.infer<typeof SearchQuery>;

/** `repository_name` with its project. */
export const SearchRepository = z.object({
  project_id: z.number().int(),
  project_name: z.string(),
  project_public: z.boolean(),
  repository_name: z.string(),
  pull_count: z.number().int(),
  artifact_count: z.number().int(),
}).meta({ id: 'SearchRepository' });
export type SearchRepository = z.infer<typeof SearchRepository>;

/** At most the first hundred of each, in the order of their names. */
export const Search = z.object({ project: z.array(Project), repository: z.array(SearchRepository) }).meta({ id: 'Search' });
export type Search = z.infer<typeof Search>;

/** Counts of what the caller may see; the bytes in storage only for system administrators. */
export const Statistic = z.object({
  private_project_count: z.number().int(),
  private_repo_count: z.number().int(),
  public_project_count: z.number().int(),
  public_repo_count: z.number().int(),
  total_project_count: z.number().int(),
  total_repo_count: z.number().int(),
  total_storage_consumption: z.number().int().optional(),
}).meta({ id: 'Statistic' });
export type Statistic = z.infer<typeof Statistic>;
