/** Who acts where no person is named, as the record and those who read it have it. */

/** The kernel by itself: time is over, a process has ended, a policy was replaced. */
export const byKernel = 'the kernel'
/** The application that runs the kernel, by its API. */
export const byApplication = 'the application'
