% A continuous random variable, as distributional clauses write it.
%
% Expected error: UnsupportedConstructError
% at 7:1
% says height ~ normal(0,1) is a continuous random variable

height ~ normal(0, 1).
query(height).
