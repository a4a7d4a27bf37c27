import { Catch, HttpException, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { errorsBody, Problem } from '@haven/api';
import { Logger } from '@haven/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemOf } from './problem-of.js';
import { RouteTable } from './route-table.service.js';

/** Turns whatever was thrown into the API's error envelope. What nobody foresaw is a 500 that says nothing about itself. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly routes: RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = this.#problem(error, request);
    if (problem.status >= 500) this.#log(problem, request, error);
    if (!reply.sent) sendProblem(reply, problem, this.body(problem));
  }

  protected body(problem: Problem): object {
    return errorsBody(problem.code, problem.message);
  }

  /** The framework calls an unknown method on a known path "not found"; it is 405 (RFC 9110, section 15.5.6). */
  #problem(error: unknown, request: FastifyRequest): Problem {
    const problem = problemOf(error);
    if (problem.status !== 404 || !(error instanceof HttpException)) return problem;
    const allowed = this.routes.methodsOf(request.url).join(', ');
    if (allowed === '') return new Problem('NOT_FOUND', 'there is nothing at this address; check it against the API documentation');
    return new Problem('METHOD_NOT_ALLOWED', `this resource knows only ${allowed}`, { headers: { Allow: allowed } });
  }

  #log(problem: Problem, request: FastifyRequest, error: unknown): void {
    this.logger.error('a request failed', { request_id: request.id, method: request.method, route: request.routeOptions.url, status: problem.status, error });
  }
}

/** Answers a problem as JSON. */
export function sendProblem(reply: FastifyReply, problem: Problem, body: object = errorsBody(problem.code, problem.message)): void {
  reply.code(problem.status).headers(problem.headers).type('application/json; charset=utf-8');
  reply.send(`${JSON.stringify(body)}\n`);
}
