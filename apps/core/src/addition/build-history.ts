import { BuildStep, type BuildHistory } from '@haven/api';

const MAX_STEPS = 5000;

/**
 * How an image was built, as its config tells (OCI image specification, "history"): its steps, oldest first. Configs are
 * what clients pushed: what is no step is left out.
 */
export function buildHistoryOf(config: Buffer): BuildHistory {
  const history = parsed(config)?.['history'];
  if (!Array.isArray(history)) return [];
  return history.slice(0, MAX_STEPS).flatMap((step) => {
    const result = BuildStep.safeParse(step);
    return result.success ? [result.data] : [];
  });
}

function parsed(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // an image whose config is no JSON has no history
  }
}
