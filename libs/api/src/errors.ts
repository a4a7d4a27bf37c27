import { z } from 'zod';

/** The body of every refusal. */
export const Errors = z.object({
  errors: z.array(z.object({ code: z.string(), message: z.string() })),
}).meta({ id: 'Errors' });
export type Errors = z.infer<typeof Errors>;

/** The error envelope around one code and message. */
export function errorsBody(code: string, message: string): Errors {
  return { errors: [{ code, message }] };
}
