import type { IncomingMessage } from 'node:http';
import { Module, StandardSchemaValidationPipe, type INestApplication } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Problem } from '@haven/api';
import { withOrigin } from '@haven/database';
import { isTrustedPeer, Logger, Metrics, requestIdFrom, type AddressRanges } from '@haven/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OperationWatchService } from '../audit/operation-watch.service.js';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { RequirementGuard } from '../authorization/requirement.guard.js';
import { ReadOnlyGuard } from '../configuration/read-only.guard.js';
import { textFault } from './json-body.js';
import { ProblemFilter, sendProblem } from './problem.filter.js';
import { ResponseInterceptor } from './response.interceptor.js';
import { RouteTable } from './route-table.service.js';
import { validationProblem } from './validation-problem.js';

/** Bytes of a request body at most; nothing that this API takes comes near it. */
const BODY_LIMIT = 1024 * 1024;
/** Characters of one path parameter: a repository name of 255 characters with every slash encoded twice. */
const MAX_PARAMETER = 2048;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than any proxy in front keeps an idle connection, so that it is never we who close one in use. */
const KEEP_ALIVE_MS = 75_000;

/** The only routes that take HTML forms, and bytes of a form at most. */
const FORM_ROUTES: ReadonlySet<string | undefined> = new Set(['/service/token', '/c/login', '/c/userExists']);
const FORM_LIMIT = 64 * 1024;

/** What holds for every route: who may call it, the form of requests and answers, and how refusals look. */
@Module({
  imports: [DiscoveryModule, AuthorizationModule],
  providers: [
    RouteTable,
    { provide: APP_GUARD, useClass: RequirementGuard },
    { provide: APP_GUARD, useClass: ReadOnlyGuard },
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_INTERCEPTOR, useClass: ResponseInterceptor },
    { provide: APP_PIPE, useFactory: () => new StandardSchemaValidationPipe({ exceptionFactory: validationProblem }) },
  ],
  exports: [RouteTable],
})
export class HttpModule {}

/** The HTTP server; forwarding headers are believed only from `trusted` peers. */
export function createHttpAdapter(trusted: AddressRanges): FastifyAdapter {
  return new FastifyAdapter({
    trustProxy: (address: string) => isTrustedPeer(trusted, address),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    genReqId: (request: IncomingMessage) => requestIdFrom(request.headers['x-request-id']),
    routerOptions: { maxParamLength: MAX_PARAMETER, ignoreTrailingSlash: true },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      commonHeaders(request, reply);
      sendProblem(reply, new Problem('BAD_REQUEST', 'the address of the request is not valid', { cause: error }));
    },
  });
}

/** What every answer carries, which bodies are read, and the request log. Call it before the application listens. */
export function configureHttp(app: INestApplication): void {
  const server = (app.getHttpAdapter() as FastifyAdapter).getInstance() as unknown as FastifyInstance;
  const logger = app.get(Logger);
  const metrics = app.get(Metrics);
  server.addHook('onRequest', (request, reply, done) => {
    commonHeaders(request, reply);
    request.origin = { name: '', address: request.ip, requestId: request.id };
    withOrigin(request.origin, done);
  });
  // The body is read in the socket's context: go back to the request's.
  server.addHook('preValidation', (request, _reply, done) => {
    if (request.origin === undefined) done();
    else withOrigin(request.origin, done);
  });
  const watch = app.get(OperationWatchService);
  server.addHook('onSend', async (request, reply) => watch.observe(request, reply.statusCode));
  server.addHook('onResponse', (request, reply, done) => {
    record(request, reply, logger, metrics);
    done();
  });
  server.removeContentTypeParser('text/plain');
  readJsonBodies(server);
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: FORM_LIMIT }, (request, body, done) => {
    if (FORM_ROUTES.has(request.routeOptions.url)) done(encodingFault(request), body);
    else done(new Problem('UNSUPPORTED_MEDIA_TYPE'));
  });
}

/** As the framework reads them (prototypes are refused), but only text that can be kept. */
function readJsonBodies(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    const fault = encodingFault(request);
    if (fault !== null) return done(fault);
    const text = bytes.toString('utf8');
    return void parse(request, text, (error, body) => done(error ?? textFault(bytes, text, body), body));
  });
}

/** Nothing is unpacked: a small body can unpack to any size. */
function encodingFault({ headers: { 'content-encoding': encoding = 'identity' } }: FastifyRequest): Problem | null {
  return encoding.toLowerCase() === 'identity' ? null : new Problem('UNSUPPORTED_MEDIA_TYPE', 'send the body without Content-Encoding: compressed bodies are not read');
}

function commonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('X-Request-Id', request.id).header('X-Content-Type-Options', 'nosniff').header('Cache-Control', 'no-store');
  // What answers HTML sets a policy of its own that lets its own scripts run. No answer is ever shown in a frame.
  reply.header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'").header('X-Frame-Options', 'DENY').header('Referrer-Policy', 'same-origin');
}

function record(request: FastifyRequest, reply: FastifyReply, logger: Logger, metrics: Metrics): void {
  const route = request.routeOptions.url ?? 'unknown';
  metrics.observeHttp({ method: request.method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
  const subject = request.caller?.subject;
  const user = subject === undefined || subject.kind === 'anonymous' ? undefined : subject.name;
  // The path without its query: queries hold what people search for.
  const path = request.url.split('?', 1)[0];
  logger.debug('request', { request_id: request.id, method: request.method, path, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime), user });
}
