import { Problem, type ScanDataExportRequest } from '@haven/api';

/** The kind of report that can be exported, by its media type. */
const DATA_TYPE = 'application/vnd.security.vulnerability.report; version=1.1';

/** @throws Problem BAD_REQUEST unless exactly one project is named */
export function exportedProject({ projects = [] }: ScanDataExportRequest): number {
  const [project] = projects;
  if (project === undefined || projects.length > 1) throw new Problem('BAD_REQUEST', 'projects must have exactly one id: vulnerabilities are exported by project');
  return project;
}

/** @throws Problem BAD_REQUEST saying what to change; `dataType` is what the header X-Scan-Data-Type has */
export function checkExport({ repositories = '', tags = '', cveIds = '' }: ScanDataExportRequest, dataType: string | undefined): void {
  if (dataType?.replace(/;\s*/, '; ').toLowerCase() !== DATA_TYPE) throw new Problem('BAD_REQUEST', `the header X-Scan-Data-Type must be "${DATA_TYPE}"`);
  for (const [name, list] of Object.entries({ repositories, tags, cveIds })) {
    if (/\s/.test(list)) throw new Problem('BAD_REQUEST', `${name} must be a list with commas and without spaces`);
  }
}
