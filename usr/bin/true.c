/* SPDX-License-Identifier: MIT */
/*
 * true: does nothing, and succeeds. The least that a program of this system can be.
 */
int main(void) {
    return 0;
}
