import { z } from 'zod';
import { Timestamp } from './fields.js';

/** The scanner that made a report. */
export const Scanner = z.object({ name: z.string().optional(), vendor: z.string().optional(), version: z.string().optional() }).meta({ id: 'Scanner' });

/** How many findings of each severity a scan made, and how many of them have a fix. */
export const VulnerabilitySummary = z.object({
  total: z.number().int().optional(),
  fixable: z.number().int().optional(),
  summary: z.record(z.string(), z.number().int()).optional(),
}).meta({ id: 'VulnerabilitySummary' });

/** What a scan of an artifact found, in short. Times are when it ran; `duration` is in seconds. */
export const NativeReportSummary = z.object({
  report_id: z.string().optional(),
  scan_status: z.string().optional(),
  severity: z.string().optional(),
  duration: z.number().int().optional(),
  summary: VulnerabilitySummary.optional(),
  start_time: Timestamp.optional(),
  end_time: Timestamp.optional(),
  complete_percent: z.number().int().optional(),
  scanner: Scanner.optional(),
}).meta({ id: 'NativeReportSummary' });

/** How the making of an artifact's SBOM went; `duration` is in seconds. */
export const SbomOverview = z.object({
  start_time: Timestamp.optional(),
  end_time: Timestamp.optional(),
  scan_status: z.string().optional(),
  sbom_digest: z.string().optional(),
  report_id: z.string().optional(),
  duration: z.number().int().optional(),
  scanner: Scanner.optional(),
}).meta({ id: 'SBOMOverview' });
