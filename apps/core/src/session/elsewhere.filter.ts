import { Catch, Injectable } from '@nestjs/common';
import type { Problem } from '@haven/api';
import { ProblemFilter } from '../http/problem.filter.js';
import { Elsewhere } from './elsewhere.js';

/** As the Harbor API answers forms of people who log in elsewhere. */
@Catch()
@Injectable()
export class ElsewhereFilter extends ProblemFilter {
  protected override body(problem: Problem): object {
    return problem instanceof Elsewhere ? { redirect_location: problem.location } : super.body(problem);
  }
}
