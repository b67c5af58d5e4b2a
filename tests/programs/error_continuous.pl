% A continuous random variable.
%
% Expected error: UnsupportedConstructError
% at 7:1
% says normal(0,1)::height is a continuous random variable

normal(0, 1)::height.
query(height).
