import { z } from 'zod';

/** A picture; `content` is its bytes in Base64. */
export const Icon = z.object({ 'content-type': z.string(), content: z.string() }).meta({ id: 'Icon' });
export type Icon = z.infer<typeof Icon>;
