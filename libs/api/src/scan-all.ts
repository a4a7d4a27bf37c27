import { z } from 'zod';

/** How far a scan of everything is. */
export const Stats = z.object({
  total: z.number().int(),
  completed: z.number().int(),
  /** How many scans stand where, by status. */
  metrics: z.record(z.string(), z.number().int()),
  ongoing: z.boolean(),
  trigger: z.enum(['Manual', 'Schedule', 'Event']),
}).meta({ id: 'Stats' });
export type Stats = z.infer<typeof Stats>;
