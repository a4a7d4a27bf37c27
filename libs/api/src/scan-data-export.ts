import { z } from 'zod';
import { text, Timestamp } from './fields.js';

const MOST_LABELS = 100;

/** Which vulnerabilities to export: those of one project, narrowed down by lists with commas and without spaces. */
export const ScanDataExportRequest = z.object({
  job_name: text(255).optional(),
  projects: z.array(z.number().int()).max(MOST_LABELS).optional(),
  /** Labels of the project, or those of the whole installation. */
  labels: z.array(z.number().int()).max(MOST_LABELS).optional(),
  repositories: text(2048).optional(),
  cveIds: text(2048).optional(),
  tags: text(2048).optional(),
}).meta({ id: 'ScanDataExportRequest' });
export type ScanDataExportRequest = z.infer<typeof ScanDataExportRequest>;

export const ScanDataExportJob = z.object({ id: z.number().int() }).meta({ id: 'ScanDataExportJob' });
export type ScanDataExportJob = z.infer<typeof ScanDataExportJob>;

/** An export of the caller's. */
export const ScanDataExportExecution = z.object({
  id: z.number().int(),
  user_id: z.number().int(),
  user_name: z.string(),
  status: z.string(),
  /** Why it ended as it did. */
  status_text: z.string(),
  trigger: z.string(),
  start_time: Timestamp,
  end_time: Timestamp.optional(),
  /** Whether there is something to download. */
  file_present: z.boolean(),
}).meta({ id: 'ScanDataExportExecution' });
export type ScanDataExportExecution = z.infer<typeof ScanDataExportExecution>;

export const ScanDataExportExecutionList = z.object({ items: z.array(ScanDataExportExecution) }).meta({ id: 'ScanDataExportExecutionList' });
export type ScanDataExportExecutionList = z.infer<typeof ScanDataExportExecutionList>;
