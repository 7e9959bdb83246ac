# numpy's RandomState (legacy stream) in R: the same Mersenne Twister, the same draws.
#
# R's generator is the Mersenne Twister too, and returns each 32-bit word times 2^-32. So numpy's
# stream is R's stream with numpy's seed and numpy's conversion from words to numbers.
# Source: numpy/random/src (mt19937.c, legacy-distributions.c, distributions.c), 1.26.

NUMPY_BLOCK <- 4096L

#' State of the Mersenne Twister after numpy's `seed(seed)`.
#'
#' @param seed whole number from 0 to 2^32 - 1.
#' @return integer(626), as R's `.Random.seed`.
#' @noRd
numpy_seed_state <- function(seed) {
  stopifnot(is.numeric(seed), length(seed) == 1, seed >= 0, seed < 2^32, seed == floor(seed))
  words <- numeric(624)
  word <- seed
  for (i in 0:623) {
    words[i + 1] <- word
    low <- word %% 4
    mixed <- word - low + bitwXor(as.integer(low), as.integer(word %/% 2^30))
    # 1812433253 * mixed + i + 1 modulo 2^32, in halves so that doubles stay exact.
    high <- (1812433253 * (mixed %/% 65536)) %% 65536
    word <- (high * 65536 + 1812433253 * (mixed %% 65536) + i + 1) %% 2^32
  }
  signed <- as.integer(ifelse(words == 2^31, NA, ifelse(words > 2^31, words - 2^32, words)))
  c(10403L, 624L, signed)
}

#' A stream of numpy's RandomState.
#'
#' It does not change R's own random state.
#'
#' @param seed whole number from 0 to 2^32 - 1.
#' @return list of functions: `word()` the next 32 bits as a double, `unit()` as `rand()`,
#'   `below(n)` as `randint(n)`, `normal(n)` as `normal(size=n)`,
#'   `two_of(n)` as `choice(n, size=2, replace=False)`.
#' @noRd
numpy_random <- function(seed) {
  state <- numpy_seed_state(seed)
  words <- numeric()
  used <- 0L
  size <- 0L
  spare <- NULL

  refill <- function() {
    had <- exists(".Random.seed", globalenv(), inherits = FALSE)
    if (had) own <- get(".Random.seed", globalenv(), inherits = FALSE)
    assign(".Random.seed", state, globalenv()) # nolint: object_name_linter.
    words <<- floor(stats::runif(NUMPY_BLOCK) * 4294967296)
    state <<- get(".Random.seed", globalenv(), inherits = FALSE)
    rm(".Random.seed", envir = globalenv())
    if (had) assign(".Random.seed", own, globalenv()) # nolint: object_name_linter.
    used <<- 0L
    size <<- NUMPY_BLOCK
  }

  word <- function() {
    if (used == size) refill()
    used <<- used + 1L
    words[used]
  }

  unit <- function() {
    high <- word() %/% 32
    low <- word() %/% 64
    (high * 67108864 + low) / 9007199254740992
  }

  # Masked rejection: numpy's legacy method for a number from 0 to n - 1.
  below <- function(n) {
    if (n <= 1) return(0)
    top <- n - 1
    span <- 2^ceiling(log2(n))
    repeat {
      value <- word() %% span
      if (value <= top) return(value)
    }
  }

  normal <- function(n) {
    out <- numeric(n)
    for (i in seq_len(n)) {
      if (!is.null(spare)) {
        out[i] <- spare
        spare <<- NULL
        next
      }
      repeat {
        x1 <- 2 * unit() - 1
        x2 <- 2 * unit() - 1
        r2 <- x1 * x1 + x2 * x2
        if (r2 < 1 && r2 != 0) break
      }
      f <- sqrt(-2 * log(r2) / r2)
      spare <<- f * x1
      out[i] <- f * x2
    }
    out
  }

  # numpy shuffles 0..n-1 from the end and takes the first two. This draws the swap partners only,
  # and then follows the two places back through the swaps.
  two_of <- function(n) {
    partner <- numeric(n - 1)
    span <- 2^ceiling(log2(n))
    block <- words
    at <- used
    for (i in (n - 1):1) {
      if (span >= 2 * (i + 1)) span <- 2^ceiling(log2(i + 1))
      repeat {
        if (at == size) {
          refill()
          block <- words
          at <- 0L
        }
        at <- at + 1L
        value <- block[at] %% span
        if (value <= i) break
      }
      partner[i] <- value
    }
    used <<- at
    c(follow_swaps(0, partner), follow_swaps(1, partner))
  }

  list(word = word, unit = unit, below = below, normal = normal, two_of = two_of)
}

#' The element of 0..n-1 that a shuffle moves to `place` (0 or 1).
#'
#' @param partner for i = 1..n-1 the place that i is swapped with; i descends.
#' @noRd
follow_swaps <- function(place, partner) {
  n <- length(partner)
  place <- if (place == 1) partner[1] else if (partner[1] == place) 1 else place
  step <- 1L
  while (step < n) {
    hit <- match(place, partner[(step + 1L):n])
    if (is.na(hit)) break
    step <- step + hit
    place <- step
  }
  place
}
