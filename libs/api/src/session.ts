import { z } from 'zod';
import { Timestamp } from './fields.js';

/** What names a session to its owner; not what is in the cookie. */
export const SessionId = z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of a session in your list');

/** One browser's login of the caller. */
export const OwnSession = z.object({
  id: SessionId,
  /** Whether the list is asked for in this session. */
  current: z.boolean(),
  /** Where it was begun. */
  address: z.string(),
  user_agent: z.string(),
  creation_time: Timestamp,
  /** To the minute. */
  last_used_time: Timestamp,
  /** When it ends at the latest. */
  expiration_time: Timestamp,
}).meta({ id: 'OwnSession' });
export type OwnSession = z.infer<typeof OwnSession>;
