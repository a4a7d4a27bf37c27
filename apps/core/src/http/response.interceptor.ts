import { Injectable, SetMetadata, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { pageLinks, PageQuery, type Page } from '@haven/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { z } from 'zod';

const RESPONSE = 'haven:response';

/** What a handler answers. */
export type DeclaredResponse =
  | { readonly kind: 'one'; readonly schema: z.ZodType }
  | { readonly kind: 'page'; readonly schema: z.ZodType }
  | { readonly kind: 'text'; readonly types: readonly string[] }
  | { readonly kind: 'raw'; readonly mediaType: string; readonly headers: readonly string[] }
  | { readonly kind: 'nothing' };

/** An answer that is no JSON of a schema: a file's text, a log. */
export interface TextAnswer {
  /** One of the types that the route declares, e.g. "text/plain; charset=utf-8". */
  readonly type: string;
  readonly text: string;
}

export const PLAIN_TEXT = 'text/plain; charset=utf-8';
export const MARKDOWN = 'text/markdown; charset=utf-8';
export const JSON_TEXT = 'application/json; charset=utf-8';

/** The body that a handler answers: what the schema does not declare does not leave the server. */
export function Responds(schema: z.ZodType): MethodDecorator {
  return SetMetadata(RESPONSE, { kind: 'one', schema } satisfies DeclaredResponse);
}

/** The handler answers a Page; clients get its items, X-Total-Count and Link. */
export function RespondsPageOf(item: z.ZodType): MethodDecorator {
  return SetMetadata(RESPONSE, { kind: 'page', schema: z.array(item) } satisfies DeclaredResponse);
}

/** The handler answers a TextAnswer of one of these content types; plain text when none is named. */
export function RespondsText(...types: readonly string[]): MethodDecorator {
  return SetMetadata(RESPONSE, { kind: 'text', types: types.length === 0 ? [PLAIN_TEXT] : types } satisfies DeclaredResponse);
}

/** The handler answers text or bytes as they are; their media type is this one, unless the handler sets another Content-Type; `headers` names what it sends besides. */
export function RespondsRaw(mediaType: string, ...headers: readonly string[]): MethodDecorator {
  return SetMetadata(RESPONSE, { kind: 'raw', mediaType, headers } satisfies DeclaredResponse);
}

/** The handler answers no body. */
export function RespondsNothing(): MethodDecorator {
  return SetMetadata(RESPONSE, { kind: 'nothing' } satisfies DeclaredResponse);
}

/** What a handler says it answers; undefined when it does not say. */
export function declaredResponse(handler: object): DeclaredResponse | undefined {
  return Reflect.getMetadata(RESPONSE, handler) as DeclaredResponse | undefined;
}

/** Holds every answer to its schema; one that does not fit is our fault (500), not the client's. */
@Injectable()
export class ResponseInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const declared = this.reflector.get<DeclaredResponse>(RESPONSE, context.getHandler());
    const http = context.switchToHttp();
    return next.handle().pipe(map((value: unknown) => answer(declared, value, http.getRequest(), http.getResponse())));
  }
}

function answer(declared: DeclaredResponse, value: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
  if (declared.kind === 'nothing') {
    if (value !== undefined) throw new Error('a handler that declares no body answered one');
    return undefined;
  }
  if (declared.kind === 'raw') {
    if (!reply.hasHeader('content-type')) reply.type(declared.mediaType);
    return value;
  }
  if (declared.kind === 'one') return checked(declared.schema, value);
  if (declared.kind === 'text') return text(declared.types, value as TextAnswer, reply);
  const page = value as Page<unknown>;
  reply.header('X-Total-Count', String(page.total));
  const links = pageLinks(request.url, PageQuery.parse(request.query), page);
  if (links !== undefined) reply.header('Link', links);
  return checked(declared.schema, page.items);
}

/** Browsers never take it for a page of ours, whatever was pushed. */
function text(types: readonly string[], { type, text: body }: TextAnswer, reply: FastifyReply): string {
  if (!types.includes(type)) throw new Error(`an answer of type ${type} is not one of ${types.join(', ')}`);
  reply.header('Content-Security-Policy', "default-src 'none'; sandbox").type(type);
  return body;
}

function checked(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (!result.success) throw new Error('an answer does not have its declared form', { cause: result.error });
  return result.data;
}
