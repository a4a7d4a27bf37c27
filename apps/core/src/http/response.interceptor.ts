import { Injectable, SetMetadata, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { pageLinks, type Page } from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { z } from 'zod';

const RESPONSE = 'haven:response';

type Declared =
  | { readonly kind: 'one'; readonly schema: z.ZodType }
  | { readonly kind: 'page'; readonly schema: z.ZodType }
  | { readonly kind: 'nothing' };

/** The body that a handler answers: what the schema does not declare does not leave the server. */
export function Responds(schema: z.ZodType): MethodDecorator {
  return SetMetadata(RESPONSE, { kind: 'one', schema } satisfies Declared);
}

/** The handler answers a Page; clients get its items, X-Total-Count and Link. */
export function RespondsPageOf(item: z.ZodType): MethodDecorator {
  return SetMetadata(RESPONSE, { kind: 'page', schema: z.array(item) } satisfies Declared);
}

/** The handler answers no body. */
export function RespondsNothing(): MethodDecorator {
  return SetMetadata(RESPONSE, { kind: 'nothing' } satisfies Declared);
}

/** Whether the handler says what it answers; checked for every route at start. */
export function declaresResponse(handler: object): boolean {
  return Reflect.getMetadata(RESPONSE, handler) !== undefined;
}

/** Holds every answer to its schema; one that does not fit is our fault (500), not the client's. */
@Injectable()
export class ResponseInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const declared = this.reflector.get<Declared>(RESPONSE, context.getHandler());
    const http = context.switchToHttp();
    return next.handle().pipe(map((value: unknown) => answer(declared, value, http.getRequest(), http.getResponse())));
  }
}

function answer(declared: Declared, value: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
  if (declared.kind === 'nothing') {
    if (value !== undefined) throw new Error('a handler that declares no body answered one');
    return undefined;
  }
  if (declared.kind === 'one') return checked(declared.schema, value);
  const page = value as Page<unknown>;
  const query = request.query as { page?: string; page_size?: string };
  reply.header('X-Total-Count', String(page.total));
  const links = pageLinks(request.url, { page: Number(query.page ?? 1), page_size: Number(query.page_size ?? 10) }, page);
  if (links !== undefined) reply.header('Link', links);
  return checked(declared.schema, page.items);
}

function checked(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (!result.success) throw new Error('an answer does not have its declared form', { cause: result.error });
  return result.data;
}
