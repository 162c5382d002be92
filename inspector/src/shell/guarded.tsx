/**
 * A part of the page that may break without the rest.
 *
 * GU1  What throws while it is drawn is replaced by a notice, and drawn again when it is given something else.
 */
import { Component, type ComponentChildren } from 'preact';
import { failureFrom, type ApiFailure } from './api.ts';
import { FailureNotice } from './failure-notice.tsx';

export interface GuardedProps {
  readonly what: string;
  /** When this changes, it is tried again. */
  readonly of: unknown;
  readonly children: ComponentChildren;
}

interface GuardedState {
  readonly failure: ApiFailure | undefined;
}

export class Guarded extends Component<GuardedProps, GuardedState> {
  override state: GuardedState = { failure: undefined };

  override componentDidCatch(error: unknown): void {
    this.setState({ failure: failureFrom(error) });
  }

  override componentDidUpdate(before: Readonly<GuardedProps>): void {
    if (this.state.failure && before.of !== this.props.of) this.setState({ failure: undefined });
  }

  override render() {
    const { failure } = this.state;
    if (!failure) return this.props.children;
    return (
      <FailureNotice failure={failure} what={this.props.what} retry={() => this.setState({ failure: undefined })} />
    );
  }
}
